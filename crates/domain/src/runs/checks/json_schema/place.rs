//! Where in an output a value stands, for sentences that say what is wrong with it.

use serde_json::Value;

use super::{Broken, Held};

/// The length from which on a place is not told more exactly.
const MOST_PATH: usize = 200;

/// A value, where it stands, and how many schemas are around it.
#[derive(Clone)]
pub(super) struct Place<'a> {
    pub(super) value: &'a Value,
    path: String,
    pub(super) depth: usize,
}

impl<'a> Place<'a> {
    pub(super) fn root(value: &'a Value) -> Self {
        Self {
            value,
            path: String::new(),
            depth: 0,
        }
    }

    /// The same place, within one schema more.
    pub(super) fn deeper(&self) -> Self {
        Self {
            depth: self.depth + 1,
            ..self.clone()
        }
    }

    pub(super) fn part(&self, step: &str, value: &'a Value) -> Self {
        let mut path = self.path.clone();
        // Beyond that nobody reads on, and copying long names over and over is not for free.
        if path.len() < MOST_PATH {
            let step: String = step.chars().take(MOST_PATH).collect();
            path = format!("{path}/{}", step.replace('~', "~0").replace('/', "~1"));
        }
        Self {
            value,
            path,
            depth: self.depth,
        }
    }

    pub(super) fn broken(&self, sentence: &str) -> Broken {
        let place = if self.path.is_empty() {
            "At the top"
        } else {
            &self.path
        };
        Broken::At(format!("{place}: {sentence}."))
    }

    pub(super) fn must(&self, holds: bool, sentence: impl FnOnce() -> String) -> Held {
        if holds {
            Ok(())
        } else {
            Err(self.broken(&sentence()))
        }
    }
}
