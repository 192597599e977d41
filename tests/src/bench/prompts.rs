//! Prompts: the hot path of applications, and lists of a large library.

mod bare;
mod hot;
mod library;
mod lists;

pub use bare::{Arguments as Bare, run as serve_bare};
pub use hot::{Arguments as Hot, run as hot};
pub use lists::{Arguments as Lists, run as lists};
