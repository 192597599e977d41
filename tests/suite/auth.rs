//! Getting in and staying in.

mod access;
mod events;
mod limits;
mod lockout;
mod login;
mod logout;
mod password;
mod redis_away;
mod refresh;
mod register;
mod sessions;
mod single_user;
