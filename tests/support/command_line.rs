//! Settings as a command line gives them, deaf to the environment: a developer's shell decides no test.

use std::ffi::OsString;

use clap::Parser;

/// What `arguments`, the first of which is the program's name, and the defaults say.
///
/// # Panics
/// When an argument is unknown or has no possible value.
pub fn parsed<A: Parser>(arguments: impl IntoIterator<Item = impl Into<OsString> + Clone>) -> A {
    let deaf = A::command().mut_args(|argument| argument.env(None::<&'static str>));
    A::from_arg_matches(&deaf.get_matches_from(arguments)).expect("checked by the command")
}
