//! The mock provider: no model, no network, no price, and the same answer to the same question.
//!
//! It is a model like any other to whoever asks, so that everything runs without a key: it embeds
//! by words, answers in text, pictures or instances of a JSON Schema made from the words of the
//! prompt, and does on command ([`directives`]) what real providers do unasked: fail, dawdle,
//! refuse, break off. Nothing here waits; how long an answer should take is part of a
//! [`Performance`], and whoever plays it has the clock.

pub mod directives;
mod embed;
mod instance;
mod perform;
mod picture;
mod subject;

pub use embed::{MockEmbedder, embed};
pub use perform::{Performance, perform, pieces};

/// How the mock provider is called.
pub const NAME: &str = "mock";
