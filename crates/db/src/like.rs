//! Patterns of `LIKE`.

/// What matches a text with this in it, of which nothing is a pattern itself.
pub(crate) fn containing(text: &str) -> String {
    let text = text.replace('\\', "\\\\");
    format!("%{}%", text.replace('%', "\\%").replace('_', "\\_"))
}

#[cfg(test)]
mod tests {
    use super::containing;

    #[test]
    fn what_is_looked_for_is_no_pattern() {
        assert_eq!(containing("ducks"), "%ducks%");
        assert_eq!(containing(r"100%_\"), r"%100\%\_\\%");
    }
}
