//! Reads what stands within a tag: a helper with its arguments and options, or a single value.

use serde_json::Value;

use super::{
    path::{Path, short},
    tree::{Call, Expression, Place},
};

/// The most calls within one another.
const MOST_DEPTH: usize = 16;

/// A word, or a sign that is one by itself.
#[derive(Debug, Clone, PartialEq)]
enum Word<'a> {
    Sign(char),
    Quoted(String),
    Plain(&'a str),
}

/// What stands within a tag, in words.
pub(super) struct Words<'a> {
    words: std::iter::Peekable<std::vec::IntoIter<Word<'a>>>,
    at: Place,
}

impl<'a> Words<'a> {
    pub(super) fn of(inside: &'a str, at: Place) -> Result<Self, String> {
        let words = words(inside)?.into_iter().peekable();
        Ok(Self { words, at })
    }

    /// A value, or a helper with what it is given.
    pub(super) fn put(mut self) -> Result<Expression, String> {
        let expression = self.expression(0)?;
        self.over().map(|()| expression)
    }

    /// The head of a block.
    pub(super) fn block(mut self) -> Result<(Call, Vec<String>), String> {
        let call = self.call(0)?;
        let names = self.names()?;
        self.over().map(|()| (call, names))
    }

    fn over(&mut self) -> Result<(), String> {
        match self.words.next() {
            None => Ok(()),
            Some(word) => Err(format!("{} is not expected here", named(&word))),
        }
    }

    /// What stands in a tag or in parentheses: a helper if something follows, else a value.
    fn expression(&mut self, depth: usize) -> Result<Expression, String> {
        let is_name = matches!(self.words.peek(), Some(Word::Plain(_)));
        if !is_name {
            return self.value(depth);
        }
        let Some(Word::Plain(name)) = self.words.next() else {
            return Err("a name is missing".into());
        };
        match self.words.peek() {
            None | Some(Word::Sign(')')) => literal_or_path(name, self.at),
            _ => self.call_of(name, depth).map(Expression::Call),
        }
    }

    fn call(&mut self, depth: usize) -> Result<Call, String> {
        match self.words.next() {
            Some(Word::Plain(name)) => self.call_of(name, depth),
            _ => Err("the name of a helper is missing".into()),
        }
    }

    fn call_of(&mut self, name: &str, depth: usize) -> Result<Call, String> {
        let (mut arguments, mut options) = (Vec::new(), Vec::new());
        loop {
            match self.words.peek() {
                None | Some(Word::Sign(')') | Word::Plain("as")) => break,
                _ => {}
            }
            let argument = self.value(depth)?;
            if self.words.next_if_eq(&Word::Sign('=')).is_none() {
                arguments.push(argument);
                continue;
            }
            let Expression::Path(path, _) = argument else {
                return Err("the name of an option must be a word".into());
            };
            options.push((path.text, self.value(depth)?));
        }
        Ok(Call {
            helper: name.to_owned(),
            at: self.at,
            arguments,
            options,
        })
    }

    fn value(&mut self, depth: usize) -> Result<Expression, String> {
        if depth > MOST_DEPTH {
            return Err(format!("more than {MOST_DEPTH} calls within one another"));
        }
        match self.words.next() {
            Some(Word::Quoted(text)) => Ok(Expression::Literal(Value::String(text))),
            Some(Word::Plain(word)) => literal_or_path(word, self.at),
            Some(Word::Sign('(')) => {
                let inner = self.expression(depth + 1)?;
                match self.words.next() {
                    Some(Word::Sign(')')) => Ok(inner),
                    _ => Err("a parenthesis is not closed".into()),
                }
            }
            Some(sign) => Err(format!("{} is not expected here", named(&sign))),
            None => Err("a value is missing".into()),
        }
    }

    /// The names after `as`, between bars.
    fn names(&mut self) -> Result<Vec<String>, String> {
        if self.words.next_if_eq(&Word::Plain("as")).is_none() {
            return Ok(Vec::new());
        }
        let wrong = || "names of a block are written `as |item index|`".to_owned();
        self.words.next_if_eq(&Word::Sign('|')).ok_or_else(wrong)?;
        let mut names = Vec::new();
        for word in self.words.by_ref() {
            match word {
                Word::Sign('|') if matches!(names.len(), 1 | 2) => return Ok(names),
                Word::Plain(name) if !name.contains(['.', '/', '[', '@']) => {
                    names.push(name.to_owned());
                }
                _ => break,
            }
        }
        Err(wrong())
    }
}

fn named(word: &Word<'_>) -> String {
    match word {
        Word::Sign(sign) => format!("“{sign}”"),
        Word::Quoted(text) => format!("“{}”", short(text)),
        Word::Plain(text) => format!("“{}”", short(text)),
    }
}

fn literal_or_path(word: &str, at: Place) -> Result<Expression, String> {
    let literal = match word {
        "true" => Some(Value::Bool(true)),
        "false" => Some(Value::Bool(false)),
        "null" | "undefined" => Some(Value::Null),
        _ => number(word),
    };
    match literal {
        Some(literal) => Ok(Expression::Literal(literal)),
        None => Path::read(word).map(|path| Expression::Path(path, at)),
    }
}

/// A number, if the word is one: digits, perhaps with a sign and a fraction.
fn number(word: &str) -> Option<Value> {
    let digits = word.strip_prefix('-').unwrap_or(word);
    let is_number = digits.starts_with(|c: char| c.is_ascii_digit())
        && digits.ends_with(|c: char| c.is_ascii_digit())
        && digits.chars().all(|c| c.is_ascii_digit() || c == '.');
    is_number.then(|| serde_json::from_str(word).ok()).flatten()
}

/// The words of a tag.
fn words(mut text: &str) -> Result<Vec<Word<'_>>, String> {
    let mut words = Vec::new();
    loop {
        text = text.trim_start();
        let Some(first) = text.chars().next() else {
            return Ok(words);
        };
        text = match first {
            '(' | ')' | '=' | '|' => {
                words.push(Word::Sign(first));
                &text[1..]
            }
            '"' | '\'' => {
                let (quoted, rest) = quoted(&text[1..], first)?;
                words.push(Word::Quoted(quoted));
                rest
            }
            _ => {
                let end = plain_end(text);
                words.push(Word::Plain(&text[..end]));
                &text[end..]
            }
        };
    }
}

/// A quoted text, in which a backslash keeps the character after it, and what follows.
fn quoted(text: &str, quote: char) -> Result<(String, &str), String> {
    let (mut inner, mut characters) = (String::new(), text.char_indices());
    while let Some((at, c)) = characters.next() {
        match c {
            '\\' => match characters.next() {
                Some((_, 'n')) => inner.push('\n'),
                Some((_, 't')) => inner.push('\t'),
                Some((_, kept)) => inner.push(kept),
                None => break,
            },
            c if c == quote => return Ok((inner, &text[at + 1..])),
            c => inner.push(c),
        }
    }
    Err("a quoted text is not closed".into())
}

/// Where a plain word ends: brackets keep what stands in them.
fn plain_end(text: &str) -> usize {
    let mut is_kept = false;
    for (at, c) in text.char_indices() {
        match c {
            '[' => is_kept = true,
            ']' => is_kept = false,
            c if !is_kept && (c.is_whitespace() || "()=|\"'".contains(c)) => return at,
            _ => {}
        }
    }
    text.len()
}
