//! Model families: releases of a model share their limits, so that what one of them is told holds
//! for all.

/// The family of a model: its name without a path, a date, a revision or `latest`. Too large a
/// family waits too long; too small a one calls before a time that was named: in doubt, larger.
pub fn family(model: &str) -> &str {
    let mut name = model.rsplit('/').next().unwrap_or(model);
    while let Some((rest, last)) = name.rsplit_once(['-', '@', ':']) {
        if rest.is_empty() || !is_release(last) {
            break;
        }
        name = rest;
    }
    name
}

/// `latest`, a revision as `001`, or a piece of a date as `20250514`, `2024-08-06` or `05-20`.
fn is_release(part: &str) -> bool {
    part == "latest"
        || (part.bytes().all(|byte| byte.is_ascii_digit()) && matches!(part.len(), 2..=4 | 8))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn releases_of_a_model_are_one_family() {
        for (model, expected) in [
            ("gemini-embedding-001", "gemini-embedding"),
            ("gemini-embedding-2", "gemini-embedding-2"),
            ("models/gemini-3.8-flash", "gemini-3.8-flash"),
            ("gemini-2.5-flash-preview-05-20", "gemini-2.5-flash-preview"),
            ("gpt-4o-2024-08-06", "gpt-4o"),
            ("claude-sonnet-4-20250514", "claude-sonnet-4"),
            ("claude-3-5-haiku-latest", "claude-3-5-haiku"),
            ("llama3:latest", "llama3"),
            ("-001", "-001"),
            ("", ""),
        ] {
            assert_eq!(family(model), expected);
        }
    }
}
