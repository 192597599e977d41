//! Paths read from their text.

use serde_json::Value;

use super::{
    Path, Segment, Selector,
    expression::{Comparison, Expression, Operand, Query},
};
use crate::Fault;

/// How deep brackets and parentheses may be nested in a path.
const MOST_LEVELS: usize = 16;

/// The largest whole number, as RFC 9535 has it: the largest that every float holds.
const MOST_INDEX: i64 = (1 << 53) - 1;

/// Reads a path; a fault names its place.
pub(super) fn path(text: &str) -> Result<Path, Fault> {
    let mut parser = Parser {
        text,
        at: 0,
        level: 0,
    };
    parser.expect("$")?;
    let segments = parser.segments()?;
    if parser.at < text.len() {
        return Err(parser.fault("a segment such as .name or [0]"));
    }
    Ok(Path(segments))
}

struct Parser<'a> {
    text: &'a str,
    at: usize,
    level: usize,
}

type Parsed<T> = Result<T, Fault>;

impl<'a> Parser<'a> {
    fn rest(&self) -> &'a str {
        &self.text[self.at..]
    }

    fn fault(&self, wanted: &str) -> Fault {
        let place = self.text[..self.at].chars().count() + 1;
        Fault(format!(
            "must be a JSONPath; at character {place} it needs {wanted}"
        ))
    }

    fn skip_blanks(&mut self) {
        let rest = self.rest();
        let blanks = rest.len() - rest.trim_start_matches([' ', '\t', '\n', '\r']).len();
        self.at += blanks;
    }

    /// Takes this token if it comes next.
    fn take(&mut self, token: &str) -> bool {
        let comes = self.rest().starts_with(token);
        self.at += if comes { token.len() } else { 0 };
        comes
    }

    fn expect(&mut self, token: &str) -> Parsed<()> {
        if self.take(token) {
            Ok(())
        } else {
            Err(self.fault(&format!("`{token}`")))
        }
    }

    /// Reads what may contain itself.
    fn nested<T>(&mut self, read: impl FnOnce(&mut Self) -> Parsed<T>) -> Parsed<T> {
        self.level += 1;
        if self.level > MOST_LEVELS {
            return Err(self.fault("less nesting"));
        }
        let read = read(self)?;
        self.level -= 1;
        Ok(read)
    }

    fn segments(&mut self) -> Parsed<Vec<Segment>> {
        let mut segments = Vec::new();
        loop {
            let before = self.at;
            self.skip_blanks();
            let Some(segment) = self.segment()? else {
                self.at = before;
                return Ok(segments);
            };
            segments.push(segment);
        }
    }

    fn segment(&mut self) -> Parsed<Option<Segment>> {
        let descends = self.take("..");
        let selectors = if self.take("[") {
            self.nested(Self::selectors)?
        } else if descends || self.take(".") {
            vec![self.shorthand()?]
        } else {
            return Ok(None);
        };
        Ok(Some(Segment {
            descends,
            selectors,
        }))
    }

    /// A name or `*` behind a point.
    fn shorthand(&mut self) -> Parsed<Selector> {
        if self.take("*") {
            return Ok(Selector::Wildcard);
        }
        let inner = |c: char| c.is_ascii_alphanumeric() || c == '_' || !c.is_ascii();
        let rest = self.rest();
        let length = rest.find(|c| !inner(c)).unwrap_or(rest.len());
        if length == 0 || rest.starts_with(|c: char| c.is_ascii_digit()) {
            return Err(self.fault("a name, `*` or `[`"));
        }
        self.at += length;
        Ok(Selector::Name(rest[..length].to_owned()))
    }

    fn selectors(&mut self) -> Parsed<Vec<Selector>> {
        let mut selectors = Vec::new();
        loop {
            self.skip_blanks();
            selectors.push(self.selector()?);
            self.skip_blanks();
            if self.take("]") {
                return Ok(selectors);
            }
            self.expect(",")?;
        }
    }

    fn selector(&mut self) -> Parsed<Selector> {
        if self.take("*") {
            return Ok(Selector::Wildcard);
        }
        if self.take("?") {
            return self.nested(Self::any).map(Selector::Filter);
        }
        if self.rest().starts_with(['"', '\'']) {
            return self.quoted().map(Selector::Name);
        }
        let start = self.index()?;
        self.skip_blanks();
        if !self.take(":") {
            let index =
                start.ok_or_else(|| self.fault("a name in quotes, an index, `*` or `?`"))?;
            return Ok(Selector::Index(index));
        }
        self.skip_blanks();
        let end = self.index()?;
        self.skip_blanks();
        let mut step = None;
        if self.take(":") {
            self.skip_blanks();
            step = self.index()?;
        }
        let step = step.unwrap_or(1);
        Ok(Selector::Slice { start, end, step })
    }

    /// A whole number without zeros in front, if one comes next.
    fn index(&mut self) -> Parsed<Option<i64>> {
        let rest = self.rest();
        let digits = rest.strip_prefix('-').unwrap_or(rest);
        let count = digits.bytes().take_while(u8::is_ascii_digit).count();
        let length = rest.len() - digits.len() + count;
        let word = &rest[..length];
        if word.is_empty() {
            return Ok(None);
        }
        let plain = word == "0" || !digits.starts_with('0');
        match word.parse::<i64>() {
            Ok(index) if plain && index.abs() <= MOST_INDEX => {
                self.at += length;
                Ok(Some(index))
            }
            _ => Err(self.fault("a whole number")),
        }
    }

    /// A text in quotes of either kind, with the escapes of JSON.
    fn quoted(&mut self) -> Parsed<String> {
        let rest = self.rest();
        let quote = &rest[..1];
        let mut escaped = false;
        let end = rest[1..].find(|c: char| {
            let ends = !escaped && quote.starts_with(c);
            escaped = c == '\\' && !escaped;
            ends
        });
        let inside = &rest[1..=end.ok_or_else(|| self.fault("the end of this text"))?];
        let json = if quote == "'" {
            as_double_quoted(inside)
        } else {
            inside.to_owned()
        };
        let text = serde_json::from_str(&format!("\"{json}\""))
            .map_err(|_| self.fault("a text with the escapes of JSON"))?;
        self.at += inside.len() + 2;
        Ok(text)
    }

    fn any(&mut self) -> Parsed<Expression> {
        let first = self.all()?;
        let mut parts = vec![first];
        while self.follows("||") {
            parts.push(self.all()?);
        }
        Ok(one_or(parts, Expression::Any))
    }

    fn all(&mut self) -> Parsed<Expression> {
        let first = self.single()?;
        let mut parts = vec![first];
        while self.follows("&&") {
            parts.push(self.single()?);
        }
        Ok(one_or(parts, Expression::All))
    }

    fn follows(&mut self, token: &str) -> bool {
        let before = self.at;
        self.skip_blanks();
        let follows = self.take(token);
        self.at = if follows { self.at } else { before };
        follows
    }

    fn single(&mut self) -> Parsed<Expression> {
        self.skip_blanks();
        let negated = self.take("!");
        self.skip_blanks();
        let expression = if self.take("(") {
            let inner = self.nested(Self::any)?;
            self.skip_blanks();
            self.expect(")")?;
            inner
        } else {
            let expression = self.comparison()?;
            if negated && matches!(expression, Expression::Compared(..)) {
                return Err(self.fault("parentheses around what `!` denies"));
            }
            expression
        };
        Ok(if negated {
            Expression::Not(Box::new(expression))
        } else {
            expression
        })
    }

    fn comparison(&mut self) -> Parsed<Expression> {
        let a = self.operand()?;
        let before = self.at;
        self.skip_blanks();
        let comparisons = [
            ("==", Comparison::Equal),
            ("!=", Comparison::NotEqual),
            ("<=", Comparison::LessOrEqual),
            (">=", Comparison::MoreOrEqual),
            ("<", Comparison::Less),
            (">", Comparison::More),
        ];
        for (token, comparison) in comparisons {
            if self.take(token) {
                self.skip_blanks();
                let b = self.operand()?;
                if ![&a, &b].into_iter().all(is_single) {
                    return Err(self.fault("paths to single values where values are compared"));
                }
                return Ok(Expression::Compared(a, comparison, b));
            }
        }
        self.at = before;
        match a {
            Operand::Query(query) => Ok(Expression::Exists(query)),
            Operand::Literal(_) => Err(self.fault("a comparison")),
        }
    }

    fn operand(&mut self) -> Parsed<Operand> {
        for (token, from_root) in [("@", false), ("$", true)] {
            if self.take(token) {
                let segments = self.nested(Self::segments)?;
                return Ok(Operand::Query(Query {
                    from_root,
                    segments,
                }));
            }
        }
        if self.rest().starts_with(['"', '\'']) {
            return Ok(Operand::Literal(Value::String(self.quoted()?)));
        }
        let rest = self.rest();
        let length = rest
            .find(|c: char| !(c.is_ascii_alphanumeric() || "+-.".contains(c)))
            .unwrap_or(rest.len());
        let literal = serde_json::from_str(&rest[..length]).map_err(|_| {
            self.fault("`@`, `$`, a number, a text in quotes, true, false or null (functions are not known)")
        })?;
        self.at += length;
        Ok(Operand::Literal(literal))
    }
}

/// Whether an operand is a single value at most.
fn is_single(operand: &Operand) -> bool {
    let single = |segment: &Segment| {
        let one = matches!(
            segment.selectors[..],
            [Selector::Name(_) | Selector::Index(_)]
        );
        one && !segment.descends
    };
    match operand {
        Operand::Literal(_) => true,
        Operand::Query(query) => query.segments.iter().all(single),
    }
}

fn one_or(mut parts: Vec<Expression>, several: fn(Vec<Expression>) -> Expression) -> Expression {
    match parts.pop() {
        Some(only) if parts.is_empty() => only,
        last => {
            parts.extend(last);
            several(parts)
        }
    }
}

/// The inside of a text in single quotes, as it is written in double quotes.
fn as_double_quoted(inside: &str) -> String {
    let mut json = String::with_capacity(inside.len() + 2);
    let mut escaped = false;
    for c in inside.chars() {
        match c {
            '\'' if escaped => {
                json.pop();
                json.push('\'');
            }
            // Within single quotes a double one has no escape: this makes it one that JSON does not know.
            '"' if escaped => json.push(' '),
            '"' => json.push_str("\\\""),
            c => json.push(c),
        }
        escaped = c == '\\' && !escaped;
    }
    json
}
