//! Generating prompts: a template is filled in for an issue or a request, and what comes of it is kept
//! as a prompt whose origin is known.

use crate::{prompts::PromptTitle, requests::RequestId, trackers::IssueId};

id!(
    /// A prompt's being generated.
    GenerationId,
);

/// What a prompt is generated for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// An issue of a tracker.
    Issue(IssueId),
    /// A colleague's request.
    Request(RequestId),
}

/// What a prompt is called that was generated for this: its name and its title, as far as there is room.
pub fn title(name: &str, title: &str) -> Option<PromptTitle> {
    let line = format!("{name} {title}");
    let line: String = line.split_whitespace().collect::<Vec<_>>().join(" ");
    let cut: String = line.chars().take(255).collect();
    cut.trim_end().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::title;

    #[test]
    fn a_title_is_one_line_that_fits() {
        fn told(name: &str, text: &str) -> Option<String> {
            title(name, text).map(|title| title.as_str().to_owned())
        }
        assert_eq!(told("DEMO-1", " a\n b ").as_deref(), Some("DEMO-1 a b"));
        let long = told("DEMO-1", &"ü".repeat(300)).expect("a title");
        assert_eq!(long.chars().count(), 255);
        // A cut in front of a space leaves none behind.
        let spaced = format!("{} {}", "x".repeat(247), "y".repeat(10));
        assert_eq!(
            told("DEMO-1", &spaced).expect("a title").chars().count(),
            254
        );
    }
}
