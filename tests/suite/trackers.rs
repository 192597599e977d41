//! The clients of trackers against their fakes: what a worker sees when a tracker behaves, and when not.

mod trackers {
    pub(crate) mod grant;
    pub(crate) mod hooks;
    pub(crate) mod issues;
    pub(crate) mod reach;
    pub(crate) mod read;
    pub(crate) mod refuse;
    pub(crate) mod support;
    pub(crate) mod sync;
}
