//! People of a company.

mod create;
mod list;
mod me;
mod update;
