//! What a list of everything tells about what is stored: what is missing, what is stale, what goes by
//! another key. What is on no page of it is only suspected gone, as a list of something that changes
//! may leave one out.

use super::IssueRef;

/// What is to be done about an issue on the list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Finding {
    /// It is stored as it is.
    Same,
    /// It goes by another key: that is all to be stored, until it is read anew.
    Moved,
    /// It is not stored, or has changed since: fetch it.
    Unread,
}

/// Compares an issue on the list with what is stored under its id.
pub fn compare(listed: &IssueRef, stored: Option<&IssueRef>) -> Finding {
    let Some(stored) = stored else {
        return Finding::Unread;
    };
    // Without a time there is nothing that says it changed.
    let has_changed = listed
        .updated_at
        .is_some_and(|listed| Some(listed) > stored.updated_at);
    if has_changed {
        Finding::Unread
    } else if listed.ext_key == stored.ext_key {
        Finding::Same
    } else {
        Finding::Moved
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn issue(key: &str, at: Option<&str>) -> IssueRef {
        IssueRef {
            external_id: "1".into(),
            ext_key: key.into(),
            updated_at: at.map(|at| at.parse().expect("a time")),
        }
    }

    #[test]
    fn what_is_missing_or_has_changed_is_read() {
        let (old, new) = (Some("2026-11-20T12:00:00Z"), Some("2026-11-20T12:00:01Z"));
        let stored = issue("A-1", old);
        assert_eq!(compare(&issue("A-1", old), None), Finding::Unread);
        assert_eq!(compare(&issue("A-1", new), Some(&stored)), Finding::Unread);
        assert_eq!(compare(&issue("A-1", old), Some(&stored)), Finding::Same);
        assert_eq!(compare(&issue("A-1", None), Some(&stored)), Finding::Same);
        assert_eq!(compare(&issue("B-1", old), Some(&stored)), Finding::Moved);
        let newer = issue("A-1", new);
        assert_eq!(
            compare(&stored, Some(&newer)),
            Finding::Same,
            "the list is late"
        );
    }
}
