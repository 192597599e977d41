//! The time of a call: so much of the processor, and so much on the clock.

use std::{
    cell::Cell,
    rc::Rc,
    time::{Duration, Instant},
};

use crate::{config::Limits, confine::processor_time};

/// The time of a call. Once spent it stays spent.
#[derive(Debug, Clone)]
pub(crate) struct Budget {
    /// What the call may take.
    pub limits: Limits,
    processor: Duration,
    clock: Instant,
    spent: Rc<Cell<bool>>,
}

impl Budget {
    /// All that a call has, from now on.
    pub fn new(limits: Limits) -> Self {
        Self {
            limits,
            processor: processor_time() + limits.cpu(),
            clock: Instant::now() + limits.wall(),
            spent: Rc::default(),
        }
    }

    /// Whether nothing is left.
    pub fn is_spent(&self) -> bool {
        if !self.spent.get() {
            let spent = processor_time() >= self.processor || Instant::now() >= self.clock;
            self.spent.set(spent);
        }
        self.spent.get()
    }
}
