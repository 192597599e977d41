//! What a call may take and has taken: time of the processor and on the clock, and memory.

use std::{
    cell::Cell,
    rc::Rc,
    time::{Duration, Instant},
};

use crate::{
    config::Limits,
    usage::{peak_memory, processor_time},
};

/// The budget of a call. Time that is spent stays spent.
#[derive(Debug, Clone)]
pub(crate) struct Budget {
    /// What the call may take.
    pub limits: Limits,
    processor: Duration,
    clock: Instant,
    /// The most memory that calls before this one took.
    peak: u64,
    spent: Rc<Cell<bool>>,
}

impl Budget {
    /// All that a call has, from now on.
    pub fn new(limits: Limits) -> Self {
        Self {
            limits,
            processor: processor_time() + limits.cpu(),
            clock: Instant::now() + limits.wall(),
            peak: peak_memory(),
            spent: Rc::default(),
        }
    }

    /// Whether no time is left.
    pub fn is_spent(&self) -> bool {
        if !self.spent.get() {
            let spent = processor_time() >= self.processor || Instant::now() >= self.clock;
            self.spent.set(spent);
        }
        self.spent.get()
    }

    /// Whether this call took more memory than those before it, and much of what there is.
    pub fn took_much_memory(&self) -> bool {
        let peak = peak_memory();
        peak > self.peak && peak > self.limits.memory_bytes() / 2
    }
}
