//! Guards against bottomless pages: the parser takes quadratic time over elements within elements
//! within elements, and the conversion descends into each.

use std::rc::Rc;

use domain::documents::ExtractFault;
use htmd::Node;

/// How deep elements may be nested.
const MAX_DEPTH: usize = 1000;

/// How many tags may stay open; some pages forget to close many without nesting that deep.
const MAX_OPEN: usize = 5000;

/// Elements that never hold others, or end by themselves when the next of their kind begins.
const SELF_ENDING: [&str; 29] = [
    "area", "base", "br", "col", "colgroup", "dd", "dt", "embed", "hr", "img", "input", "li",
    "link", "meta", "optgroup", "option", "p", "param", "rp", "rt", "source", "tbody", "td",
    "tfoot", "th", "thead", "tr", "track", "wbr",
];

/// Refuses a page that leaves too many tags open, before it is parsed.
pub fn check_tags(html: &str) -> Result<(), ExtractFault> {
    let mut open: usize = 0;
    let mut rest = html;
    while let Some((_, behind)) = rest.split_once('<') {
        rest = behind;
        let closes = rest.starts_with('/');
        let name = tag_name(rest.trim_start_matches('/'));
        if name.is_empty() || SELF_ENDING.contains(&name.as_str()) || ends_itself(rest) {
            continue;
        }
        open = if closes {
            open.saturating_sub(1)
        } else {
            open + 1
        };
        if open > MAX_OPEN {
            return Err(too_deep());
        }
        if !closes && (name == "script" || name == "style") {
            rest = rest.find("</").map_or("", |end| &rest[end..]);
        }
    }
    Ok(())
}

/// Whether a tag is written `<path … />`, as drawings are full of.
fn ends_itself(tag: &str) -> bool {
    tag.find('>').is_some_and(|end| tag[..end].ends_with('/'))
}

/// The name at the beginning of a tag, in lower case.
fn tag_name(tag: &str) -> String {
    let end = tag
        .bytes()
        .take(20)
        .take_while(u8::is_ascii_alphanumeric)
        .count();
    tag[..end].to_ascii_lowercase()
}

/// Refuses a tree that is too deep to descend into; does not descend itself.
pub fn check_tree(tree: &Rc<Node>) -> Result<(), ExtractFault> {
    let mut open = vec![(tree.clone(), 0)];
    while let Some((node, depth)) = open.pop() {
        if depth > MAX_DEPTH {
            return Err(too_deep());
        }
        open.extend(
            node.children
                .borrow()
                .iter()
                .map(|child| (child.clone(), depth + 1)),
        );
    }
    Ok(())
}

/// The refusal of a bottomless page.
fn too_deep() -> ExtractFault {
    ExtractFault::TooLarge(format!(
        "its elements are nested more than {MAX_DEPTH} deep"
    ))
}
