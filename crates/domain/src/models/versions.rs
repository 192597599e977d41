//! Which model a version is a version of. Providers answer `claude-haiku-4-5-20251001` when they
//! were asked for `claude-haiku-4-5`; prices are kept for the latter.

/// Whether `version`, as a provider names it in an answer, is `model` or a dated, numbered or
/// preview form of it. What follows the model's name must say when, not what: `gpt-5-mini` is no
/// version of `gpt-5`.
pub fn is_version_of(version: &str, model: &str) -> bool {
    let version = bare(version);
    match version.strip_prefix(model) {
        Some("") => true,
        Some(rest) => rest.strip_prefix(['-', '@', ':']).is_some_and(says_when),
        None => false,
    }
}

/// A model's name without the folder that Gemini puts before it.
pub fn bare(version: &str) -> &str {
    version.strip_prefix("models/").unwrap_or(version)
}

/// `2026-08-01`, `20260801`, `08-2026`, `08-01`, `001`, `latest`, and each of them after `preview-`
/// or `exp-`, which may also stand alone.
fn says_when(suffix: &str) -> bool {
    for stage in ["preview", "exp"] {
        match suffix.strip_prefix(stage) {
            Some("") => return true,
            Some(rest) => return rest.strip_prefix('-').is_some_and(is_date),
            None => {}
        }
    }
    suffix == "latest" || is_date(suffix)
}

fn is_date(text: &str) -> bool {
    let lengths: Vec<usize> = text.split('-').map(str::len).collect();
    let known = matches!(lengths.as_slice(), [4, 2, 2] | [2, 4 | 2] | [8 | 6 | 4 | 3]);
    known && text.bytes().all(|b| b == b'-' || b.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dated_or_numbered_form_is_a_version() {
        for (version, model) in [
            ("gpt-6-luna-2026-08-01", "gpt-6-luna"),
            ("claude-haiku-4-5-20251001", "claude-haiku-4-5"),
            ("claude-haiku-4-5@20251001", "claude-haiku-4-5"),
            ("models/gemini-3.8-flash", "gemini-3.8-flash"),
            ("gemini-3.8-flash-001", "gemini-3.8-flash"),
            ("gemini-2.5-flash-preview-05-20", "gemini-2.5-flash"),
            ("gemini-2.5-pro-preview", "gemini-2.5-pro"),
            ("gpt-4.1-mini-latest", "gpt-4.1-mini"),
            ("mock/text-1", "mock/text-1"),
        ] {
            assert!(is_version_of(version, model), "{version} of {model}");
        }
    }

    #[test]
    fn another_model_of_the_family_is_none() {
        for (version, model) in [
            ("gpt-5-mini", "gpt-5"),
            ("gemini-2.5-flash-lite", "gemini-2.5-flash"),
            ("gemini-3.1-flash-image", "gemini-3.1-flash"),
            ("gemini-2.5-flash-lite-preview-06-17", "gemini-2.5-flash"),
            ("claude-opus-5-5", "claude-opus-5"),
            ("gpt-6.1-sol", "gpt-6"),
            ("gpt-6-luna", "gpt-6-luna-2026-08-01"),
            ("gpt-6-lunatic", "gpt-6-luna"),
            ("gpt-6-luna-", "gpt-6-luna"),
            ("gpt-6-luna-2026-8-1", "gpt-6-luna"),
        ] {
            assert!(!is_version_of(version, model), "{version} of {model}");
        }
    }
}
