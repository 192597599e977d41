//! Reads a body: every fault at once, as far as the tags can be told apart.

use super::{
    expression::Words,
    lint::{Finding, FindingCode},
    path::short,
    spaces,
    tags::{Kind, Piece, Tag, cut},
    tree::{Block, Body, Expression, Node, Place},
};

/// The most blocks within one another, and the most findings that are told.
const MOST_DEPTH: usize = 64;
pub(super) const MOST_FINDINGS: usize = 200;

/// A block that is not closed yet.
struct Open {
    block: Block,
    /// Whether the part after `else` is being read.
    is_inverse: bool,
    /// Begun by `else x`: it ends where the block around it ends.
    is_chained: bool,
}

struct Reader {
    root: Vec<Node>,
    open: Vec<Open>,
    findings: Vec<Finding>,
}

impl Body {
    /// Reads a body.
    pub fn read(text: &str) -> Result<Self, Vec<Finding>> {
        let (pieces, unclosed) = cut(text);
        let mut reader = Reader {
            root: Vec::new(),
            open: Vec::new(),
            findings: Vec::new(),
        };
        for (index, piece) in pieces.iter().enumerate() {
            match piece {
                Piece::Text(_) => reader.text(spaces::left(&pieces, index)),
                Piece::Tag(tag) => reader.tag(tag),
            }
            if reader.findings.len() >= MOST_FINDINGS {
                return Err(reader.findings);
            }
        }
        if let Some(at) = unclosed {
            reader.fault(at, "this tag is not closed");
        }
        reader.end()
    }
}

impl Reader {
    fn fault(&mut self, at: Place, message: impl Into<String>) {
        self.findings
            .push(Finding::of(FindingCode::Syntax, Some(at), message.into()));
    }

    fn end(mut self) -> Result<Body, Vec<Finding>> {
        while let Some(open) = self.open.pop() {
            if !open.is_chained {
                let helper = short(&open.block.call.helper);
                self.fault(
                    open.block.call.at,
                    format!("the block “{helper}” is not closed"),
                );
            }
        }
        if self.findings.is_empty() {
            Ok(Body(self.root))
        } else {
            self.findings.sort_by_key(|finding| finding.at);
            Err(self.findings)
        }
    }

    fn text(&mut self, text: &str) {
        if !text.is_empty() {
            self.push(Node::Text(text.to_owned()));
        }
    }

    fn push(&mut self, node: Node) {
        match self.open.last_mut() {
            None => self.root.push(node),
            Some(open) if open.is_inverse => open.block.inverse.push(node),
            Some(open) => open.block.body.push(node),
        }
    }

    fn tag(&mut self, tag: &Tag<'_>) {
        let done = match tag.kind {
            Kind::Comment => Ok(()),
            Kind::Refused(why) => Err(why.to_owned()),
            Kind::Put => self.put(tag),
            Kind::Open => self.open(tag, false),
            Kind::Else => self.otherwise(tag),
            Kind::Close => self.close(tag),
        };
        if let Err(message) = done {
            self.fault(tag.at, message);
        }
    }

    fn put(&mut self, tag: &Tag<'_>) -> Result<(), String> {
        let expression: Expression = Words::of(tag.inside, tag.at)?.put()?;
        self.push(Node::Put(expression));
        Ok(())
    }

    fn open(&mut self, tag: &Tag<'_>, is_chained: bool) -> Result<(), String> {
        if self.open.len() >= MOST_DEPTH {
            return Err(format!("more than {MOST_DEPTH} blocks within one another"));
        }
        let (call, names) = Words::of(tag.inside, tag.at)?.block()?;
        let block = Block {
            call,
            names,
            body: Vec::new(),
            inverse: Vec::new(),
        };
        self.open.push(Open {
            block,
            is_inverse: false,
            is_chained,
        });
        Ok(())
    }

    fn otherwise(&mut self, tag: &Tag<'_>) -> Result<(), String> {
        let Some(open) = self.open.last_mut() else {
            return Err("there is no block that this belongs to".into());
        };
        if open.is_inverse {
            return Err("the block has an `else` already".into());
        }
        open.is_inverse = true;
        if tag.inside.trim().is_empty() {
            Ok(())
        } else {
            self.open(tag, true)
        }
    }

    fn close(&mut self, tag: &Tag<'_>) -> Result<(), String> {
        let name = tag.inside.trim();
        let opener = self.open.iter().rev().find(|open| !open.is_chained);
        let Some(opener) = opener else {
            return Err(format!(
                "no block is open that “{}” could close",
                short(name)
            ));
        };
        let helper = opener.block.call.helper.clone();
        while let Some(open) = self.open.pop() {
            let is_chained = open.is_chained;
            self.push(Node::Block(Box::new(open.block)));
            if !is_chained {
                break;
            }
        }
        if name == helper {
            Ok(())
        } else {
            Err(format!(
                "“{}” closes the block “{}”",
                short(name),
                short(&helper)
            ))
        }
    }
}
