//! Paths such as `issue.title`, `../name`, `@index` and `items.[0]`.

/// Where a path begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Base {
    /// What is looked at, or what was so many contexts before.
    Context(usize),
    /// All that was given.
    Root,
    /// What a loop says of itself, so many contexts before.
    Loop(usize),
}

/// A path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Path {
    pub(super) base: Base,
    pub(super) names: Vec<String>,
    /// As it is written.
    pub(super) text: String,
    /// Begun with `this`, `.` or `..`: the names of a block are not meant.
    pub(super) is_explicit: bool,
}

/// What a name must not contain unless it stands in brackets.
fn is_odd(c: char) -> bool {
    c.is_whitespace() || "!\"#%&'()*+,./;<=>@[\\]^`{|}~".contains(c)
}

impl Path {
    pub(super) fn read(text: &str) -> Result<Self, String> {
        let (base, rest, is_explicit) = base(text);
        let names = names(rest).ok_or_else(|| format!("“{}” is no path", short(text)))?;
        let is_loop = matches!(base, Base::Loop(_));
        if is_loop && names.len() != 1 {
            return Err(format!("“{}” is nothing that a loop knows", short(text)));
        }
        if names.is_empty() && !is_explicit && base != Base::Root {
            return Err("a name is missing".into());
        }
        let text = text.to_owned();
        Ok(Self {
            base,
            names,
            text,
            is_explicit,
        })
    }
}

fn base(text: &str) -> (Base, &str, bool) {
    if let Some(rest) = text.strip_prefix('@') {
        if let Some(after) = rest.strip_prefix("root")
            && (after.is_empty() || after.starts_with(['.', '/']))
        {
            return (Base::Root, after.get(1..).unwrap_or_default(), true);
        }
        let (ups, rest) = ups(rest);
        return (Base::Loop(ups), rest, true);
    }
    let (ups, rest) = ups(text);
    let (this, rest) = this(rest);
    (Base::Context(ups), rest, ups > 0 || this)
}

/// How often a text goes up, and what follows.
fn ups(mut text: &str) -> (usize, &str) {
    let mut ups = 0;
    while let Some(rest) = text.strip_prefix("../") {
        (ups, text) = (ups + 1, rest);
    }
    if text == ".." {
        (ups + 1, "")
    } else {
        (ups, text)
    }
}

fn this(text: &str) -> (bool, &str) {
    if text == "this" || text == "." {
        return (true, "");
    }
    for start in ["this.", "this/", "./"] {
        if let Some(rest) = text.strip_prefix(start) {
            return (true, rest);
        }
    }
    (false, text)
}

/// The names between dots; none of an empty text.
fn names(mut text: &str) -> Option<Vec<String>> {
    let mut names = Vec::new();
    while !text.is_empty() {
        let (name, rest) = if let Some(bracket) = text.strip_prefix('[') {
            bracket.split_once(']')?
        } else {
            let end = text.find(is_odd).unwrap_or(text.len());
            text.split_at(end)
        };
        if name.is_empty() && !text.starts_with('[') {
            return None;
        }
        names.push(name.to_owned());
        text = match rest.strip_prefix(['.', '/']) {
            Some("") => return None,
            Some(more) => more,
            None if rest.is_empty() => rest,
            None => return None,
        };
    }
    Some(names)
}

/// So much of a text as goes into a sentence.
pub(super) fn short(text: &str) -> String {
    const MOST: usize = 80;
    if text.chars().count() <= MOST {
        return text.to_owned();
    }
    let cut: String = text.chars().take(MOST).collect();
    format!("{cut}…")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Option<(Base, Vec<String>)> {
        Path::read(text).ok().map(|path| (path.base, path.names))
    }

    #[test]
    fn paths_are_read_as_handlebars_reads_them() {
        let some = |base, names: &[&str]| {
            Some((base, names.iter().map(|&name| name.to_owned()).collect()))
        };
        let here = Base::Context(0);
        assert_eq!(read("a"), some(here, &["a"]));
        assert_eq!(read("a.b/c"), some(here, &["a", "b", "c"]));
        assert_eq!(read("a.[b c].0"), some(here, &["a", "b c", "0"]));
        assert_eq!(read("this"), some(here, &[]));
        assert_eq!(read("."), some(here, &[]));
        assert_eq!(read("./a"), some(here, &["a"]));
        assert_eq!(read("thistle"), some(here, &["thistle"]));
        assert_eq!(read("../../a"), some(Base::Context(2), &["a"]));
        assert_eq!(read(".."), some(Base::Context(1), &[]));
        assert_eq!(read("@root"), some(Base::Root, &[]));
        assert_eq!(read("@root.a"), some(Base::Root, &["a"]));
        assert_eq!(read("@index"), some(Base::Loop(0), &["index"]));
        assert_eq!(read("@../key"), some(Base::Loop(1), &["key"]));
        for wrong in ["", "a.", ".a", "a..b", "a b", "@", "[a", "a.[b]c", "{a"] {
            assert_eq!(read(wrong), None, "{wrong}");
        }
    }
}
