//! Files of every kind, friendly and hostile, through the child process that reads them.

mod extract {
    pub(crate) mod demo;
    pub(crate) mod hostile;
    pub(crate) mod kinds;
    pub(crate) mod soundness;
    pub(crate) mod support;
}
