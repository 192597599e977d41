//! What a template is made of once it was read.

use serde_json::Value;

use super::path::Path;

/// Where in a body something stands, both from 1; columns count characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// The line.
    pub line: u32,
    /// The character of the line.
    pub column: u32,
}

/// A body that was read.
#[derive(Debug)]
pub struct Body(pub(super) Vec<Node>);

#[derive(Debug)]
pub(super) enum Node {
    Text(String),
    Put(Expression),
    Block(Box<Block>),
}

#[derive(Debug)]
pub(super) struct Block {
    pub(super) call: Call,
    /// The names after `as |…|`.
    pub(super) names: Vec<String>,
    pub(super) body: Vec<Node>,
    pub(super) inverse: Vec<Node>,
}

#[derive(Debug)]
pub(super) struct Call {
    pub(super) helper: String,
    pub(super) at: Place,
    pub(super) arguments: Vec<Expression>,
    pub(super) options: Vec<(String, Expression)>,
}

#[derive(Debug)]
pub(super) enum Expression {
    Literal(Value),
    Path(Path, Place),
    Call(Call),
}
