//! The words of trackers for states and priorities, in ours. What is not known is kept by its name
//! beside the nearest of ours, and never an error: companies invent their own.

use super::{IssuePriority, IssueStatus};

/// Endings of an issue on which nobody did the work.
const GIVEN_UP: [&str; 16] = [
    "wont do",
    "wont fix",
    "will not do",
    "will not fix",
    "cancel",
    "duplicate",
    "declined",
    "rejected",
    "invalid",
    "abandoned",
    "obsolete",
    "cannot reproduce",
    "incomplete",
    "not a bug",
    "withdrawn",
    "out of scope",
];

/// Words in the names of states that people work in.
const AT_WORK: [&str; 7] = [
    "progress",
    "review",
    "testing",
    "doing",
    "development",
    "started",
    "verif",
];

/// Where an issue of Jira stands. The category decides, as it is the only part of a workflow that
/// Jira itself understands; name and resolution tell how something ended.
pub fn jira_status(category: &str, name: &str, resolution: Option<&str>) -> IssueStatus {
    match category {
        "new" => IssueStatus::Open,
        "indeterminate" => IssueStatus::InProgress,
        "done" => ended(name, resolution),
        _ => guessed(name, resolution),
    }
}

fn ended(name: &str, resolution: Option<&str>) -> IssueStatus {
    let name = plain(name);
    if [name.as_str(), &plain(resolution.unwrap_or_default())]
        .into_iter()
        .any(was_given_up)
    {
        return IssueStatus::Cancelled;
    }
    if name.starts_with("closed") || name == "archived" {
        IssueStatus::Closed
    } else {
        IssueStatus::Done
    }
}

fn guessed(name: &str, resolution: Option<&str>) -> IssueStatus {
    let words = plain(name);
    let says = |known: &[&str]| known.iter().any(|word| words.contains(word));
    if resolution.is_some_and(|name| !name.is_empty())
        || was_given_up(&words)
        || says(&["done", "closed", "resolved", "complete", "finished"])
    {
        ended(name, resolution)
    } else if says(&AT_WORK) {
        IssueStatus::InProgress
    } else {
        IssueStatus::Open
    }
}

fn was_given_up(words: &str) -> bool {
    GIVEN_UP.iter().any(|ending| words.contains(ending))
}

/// Small letters, without apostrophes, single spaces.
fn plain(name: &str) -> String {
    let letters = name.to_lowercase().replace(['\'', '’'], "");
    letters
        .split(|char: char| !char.is_alphanumeric())
        .filter(|word| !word.is_empty())
        .collect::<Vec<_>>()
        .join(" ")
}

/// Where a task of Teamwork stands; one that has begun counts as worked on.
pub fn teamwork_status(status: &str, progress: i64) -> IssueStatus {
    match status.to_lowercase().as_str() {
        "completed" => IssueStatus::Done,
        "deleted" => IssueStatus::Cancelled,
        "inprogress" | "in progress" | "active" => IssueStatus::InProgress,
        _ if progress > 0 => IssueStatus::InProgress,
        _ => IssueStatus::Open,
    }
}

/// How urgent something is by its name: the usual schemes of Jira, and Teamwork's.
pub fn priority(name: &str) -> Option<IssuePriority> {
    let found = match plain(name).as_str() {
        "highest" | "blocker" | "critical" | "urgent" | "p0" | "immediate" => {
            IssuePriority::Highest
        }
        "high" | "major" | "p1" => IssuePriority::High,
        "medium" | "normal" | "moderate" | "p2" => IssuePriority::Medium,
        "low" | "minor" | "p3" => IssuePriority::Low,
        "lowest" | "trivial" | "p4" => IssuePriority::Lowest,
        _ => return None,
    };
    Some(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_category_of_jira_decides_and_the_name_tells_how_it_ended() {
        let rows = [
            ("new", "In Progress", None, IssueStatus::Open),
            (
                "indeterminate",
                "Warten auf Kunde",
                None,
                IssueStatus::InProgress,
            ),
            ("done", "Fertig", None, IssueStatus::Done),
            ("done", "Closed", None, IssueStatus::Closed),
            ("done", "Closed", Some("Fixed"), IssueStatus::Closed),
            ("done", "Closed", Some("Won't Do"), IssueStatus::Cancelled),
            ("done", "Done", Some("Won’t Fix"), IssueStatus::Cancelled),
            ("done", "Done", Some("Duplicate"), IssueStatus::Cancelled),
            ("done", "Canceled", None, IssueStatus::Cancelled),
            ("done", "Cancelled", None, IssueStatus::Cancelled),
            ("undefined", "In Review", None, IssueStatus::InProgress),
            ("undefined", "Resolved", None, IssueStatus::Done),
            ("undefined", "Someday", None, IssueStatus::Open),
            ("", "Whatever", Some("Fixed"), IssueStatus::Done),
            ("", "", None, IssueStatus::Open),
        ];
        for (category, name, resolution, expected) in rows {
            let found = jira_status(category, name, resolution);
            assert_eq!(found, expected, "{category} {name} {resolution:?}");
        }
    }

    #[test]
    fn a_task_of_teamwork_that_has_begun_is_in_progress() {
        let rows = [
            ("new", 0, IssueStatus::Open),
            ("new", 40, IssueStatus::InProgress),
            ("reopened", 0, IssueStatus::Open),
            ("completed", 40, IssueStatus::Done),
            ("deleted", 0, IssueStatus::Cancelled),
            ("of another kind", 0, IssueStatus::Open),
        ];
        for (status, progress, expected) in rows {
            assert_eq!(teamwork_status(status, progress), expected, "{status}");
        }
    }

    #[test]
    fn priorities_of_the_usual_schemes_are_known_and_others_are_none() {
        assert_eq!(priority("Blocker"), Some(IssuePriority::Highest));
        assert_eq!(priority("MEDIUM"), Some(IssuePriority::Medium));
        assert_eq!(priority("none"), None);
        assert_eq!(priority("Wichtig"), None);
    }
}
