//! Why a call has no result, in words for whoever wrote the function.

use std::io;

use serde::{Deserialize, Serialize};

/// Why a call has no result. All but [`Failed`](CallError::Failed) are the function's own doing: calling it again with
/// the same inputs ends the same way.
#[derive(Debug, thiserror::Error, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "camelCase")]
pub enum CallError {
    /// The body cannot be read.
    #[error("the function body has a syntax error{}: {message}", place(*.line))]
    Syntax {
        /// What the engine says.
        message: String,
        /// The line of the body, from 1.
        line: Option<u32>,
    },
    /// The body threw something, or a promise it returned was rejected.
    #[error("the function failed{}: {message}", place(*.line))]
    Threw {
        /// What was thrown, as text: at most 2000 characters.
        message: String,
        /// The line of the body, from 1.
        line: Option<u32>,
    },
    /// It took too long.
    #[error(
        "the function took longer than {} s: let it do less, or ask the operator to raise FUNCTION_MILLIS",
        f64::from(*.millis) / 1000.0
    )]
    Time {
        /// The limit, in milliseconds.
        millis: u32,
    },
    /// It took too much memory.
    #[error(
        "the function took more than {mib} MiB of memory: let it hold less at a time, or ask the operator to raise \
         FUNCTION_MEMORY_MIB"
    )]
    Memory {
        /// The limit, in MiB.
        mib: u32,
    },
    /// It called itself too often, or nested its values too deep.
    #[error(
        "the function calls itself or nests its values too deep: use a loop, or flatter values"
    )]
    Stack,
    /// The body is too long.
    #[error("the function body is longer than {} KiB: shorten it", crate::MAX_BODY_BYTES >> 10)]
    BodyTooLarge,
    /// What it is to work on is too much.
    #[error("the inputs are more than {} MiB as JSON: give the function less", crate::MAX_INPUTS_BYTES >> 20)]
    InputsTooLarge,
    /// What it returned is too much.
    #[error("the result is more than {} MiB as JSON: return less", crate::MAX_RESULT_BYTES >> 20)]
    ResultTooLarge,
    /// What it returned has no JSON.
    #[error("the result cannot be written as JSON: {message}")]
    NotJson {
        /// What stands in the way.
        message: String,
    },
    /// It returned a promise that nothing settles.
    #[error(
        "the function returned a promise that is never settled: there are no timers and no network to wait for"
    )]
    NeverSettles,
    /// The engine broke down over it.
    #[error("the function brought the JavaScript engine down: simplify what it does")]
    Crashed,
    /// The sandbox itself failed; trying again may help.
    #[error("the function could not be run, try again: {0}")]
    #[serde(skip)]
    Failed(#[from] io::Error),
}

impl CallError {
    /// Whether the child that says this should not be called again: it met a limit, and who knows what is left of it.
    pub(crate) fn ends_the_child(&self) -> bool {
        matches!(
            self,
            Self::Time { .. } | Self::Memory { .. } | Self::Stack | Self::Crashed | Self::Failed(_)
        )
    }
}

fn place(line: Option<u32>) -> String {
    line.map_or_else(String::new, |line| format!(" in line {line}"))
}
