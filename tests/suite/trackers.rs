//! Trackers against their fakes: what the clients see when one behaves, and when not; and the product that
//! reads them, through its doors.

mod trackers {
    pub(crate) mod connect;
    pub(crate) mod desk;
    pub(crate) mod grant;
    pub(crate) mod hooks;
    pub(crate) mod issues;
    pub(crate) mod killed;
    pub(crate) mod late;
    pub(crate) mod locks;
    pub(crate) mod reach;
    pub(crate) mod read;
    pub(crate) mod received;
    pub(crate) mod refuse;
    pub(crate) mod repeated;
    pub(crate) mod rounds;
    pub(crate) mod scope;
    pub(crate) mod sight;
    pub(crate) mod signed_in;
    pub(crate) mod sites;
    pub(crate) mod support;
    pub(crate) mod suspects;
    pub(crate) mod sync;
    pub(crate) mod troubled;
}
