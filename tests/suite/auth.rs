//! Getting in and staying in.

mod login;
mod refresh;
mod register;
