//! The adapters against their fakes: what a worker sees when a provider behaves, and when not.

mod providers {
    pub(crate) mod embed;
    pub(crate) mod fleet;
    pub(crate) mod generate;
    pub(crate) mod governor;
    pub(crate) mod refuse;
    pub(crate) mod streams;
    pub(crate) mod support;
}
