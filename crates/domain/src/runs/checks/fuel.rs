//! A bound on the steps that judging may take, for what grows faster than its input: paths and
//! schemas can be written so that a small text keeps a machine busy for years.

use std::cell::Cell;

/// Steps that are left.
#[derive(Debug)]
pub(crate) struct Fuel(Cell<u64>);

/// There is none left.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Exhausted;

impl Fuel {
    /// Enough for every value of a text of some megabytes, less than a second's work.
    pub(crate) fn full() -> Self {
        Self::of(2_000_000)
    }

    /// So many steps.
    pub(crate) fn of(steps: u64) -> Self {
        Self(Cell::new(steps))
    }

    /// How many steps are left.
    #[cfg(test)]
    pub(crate) fn left(&self) -> u64 {
        self.0.get()
    }

    /// Takes so many steps.
    pub(crate) fn spend(&self, steps: usize) -> Result<(), Exhausted> {
        let steps = u64::try_from(steps).unwrap_or(u64::MAX);
        let left = self.0.get().checked_sub(steps).ok_or(Exhausted)?;
        self.0.set(left);
        Ok(())
    }
}
