//! People's functions, friendly and hostile, through the processes that run them.

mod functions {
    pub(crate) mod determinism;
    pub(crate) mod escapes;
    pub(crate) mod failures;
    pub(crate) mod limits;
    pub(crate) mod processes;
    pub(crate) mod results;
    pub(crate) mod serialisation;
    pub(crate) mod support;
}
