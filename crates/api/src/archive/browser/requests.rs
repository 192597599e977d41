//! Requests as a browser kept them: with their comments, but without what happened to them, and with
//! people known by name alone. What happened is told as far as it shows.

use db::{
    archive::{At, Bundle},
    requests::archive::{ArchivedActivity, ArchivedComment, ArchivedRequest, Imported},
};
use deserr::Deserr;
use domain::{
    auth::Viewer,
    requests::{
        ActivityId, CommentId, CommentText, RequestAction, RequestDescription, RequestId,
        RequestPriority, RequestStatus, RequestTitle, Vendor,
    },
    users::{PersonName, Role, UserId},
};
use serde_json::{Value, json};
use uuid::Uuid;

use super::super::{found::Found, rows::id_of};
use crate::extract::Faults;

/// Somebody who is nobody here.
const NOBODY: UserId = UserId(Uuid::nil());

/// A request as it was kept.
#[derive(Debug, Deserr)]
#[deserr(error = Faults, rename_all = camelCase)]
struct KeptRequest {
    title: RequestTitle,
    description: RequestDescription,
    vendor: Vendor,
    #[deserr(default)]
    status: Option<RequestStatus>,
    #[deserr(default)]
    priority: Option<RequestPriority>,
    created_by_name: PersonName,
    #[deserr(default)]
    assigned_to_name: Option<PersonName>,
    #[deserr(default)]
    estimated_hours: Option<i32>,
    created_at: At,
    #[deserr(default)]
    comments: Option<Vec<KeptComment>>,
}

/// A comment as it was kept.
#[derive(Debug, Deserr)]
#[deserr(error = Faults, rename_all = camelCase)]
struct KeptComment {
    author_name: PersonName,
    author_role: Role,
    content: CommentText,
    #[deserr(default)]
    created_at: Option<At>,
    #[deserr(default)]
    timestamp: Option<At>,
}

/// A request as the import takes one.
pub fn request(found: &mut Found, index: usize, value: Value, viewer: &Viewer) -> Option<Bundle> {
    let id = RequestId(id_of(&value, viewer));
    let kept: KeptRequest = found.row("requests", index, value)?;
    let comments: Vec<(usize, ArchivedComment)> = (1..)
        .zip(kept.comments.unwrap_or_default())
        .map(|(number, comment)| (index, said(id, number, comment, kept.created_at)))
        .collect();
    let status = kept.status.unwrap_or(RequestStatus::Submitted);
    let mut past = Past {
        request: id,
        name: kept.created_by_name.clone(),
        index,
        activity: Vec::new(),
    };
    past.add(
        RequestAction::Created,
        json!({ "title": kept.title }),
        kept.created_at,
    );
    for (_, comment) in &comments {
        past.name = comment.author_name.clone();
        let details = json!({ "commentId": comment.id });
        past.add(RequestAction::Commented, details, comment.created_at);
    }
    if status != RequestStatus::Submitted {
        past.name = kept.created_by_name.clone();
        let details = json!({ "from": RequestStatus::Submitted, "status": status });
        let at = comments
            .last()
            .map_or(kept.created_at, |(_, last)| last.created_at);
        past.add(RequestAction::StatusChanged, details, at);
    }
    let row = ArchivedRequest {
        id,
        number: 0,
        title: kept.title,
        description: kept.description,
        vendor: kept.vendor,
        status,
        priority: kept.priority.unwrap_or(RequestPriority::Medium),
        created_by: NOBODY,
        created_by_name: kept.created_by_name,
        assigned_to: None,
        assigned_to_name: kept.assigned_to_name,
        estimated_hours: kept.estimated_hours,
        created_at: kept.created_at,
        updated_at: kept.created_at,
    };
    Some(Bundle::Request(Imported {
        index,
        row,
        comments,
        activity: past.activity,
    }))
}

fn said(
    request_id: RequestId,
    number: i32,
    comment: KeptComment,
    otherwise: At,
) -> ArchivedComment {
    ArchivedComment {
        id: CommentId(Uuid::now_v7()),
        request_id,
        number,
        author_id: NOBODY,
        author_name: comment.author_name,
        author_role: comment.author_role,
        content: comment.content,
        created_at: comment
            .created_at
            .or(comment.timestamp)
            .unwrap_or(otherwise),
    }
}

/// What happened to a request.
struct Past {
    request: RequestId,
    name: PersonName,
    index: usize,
    activity: Vec<(usize, ArchivedActivity)>,
}

impl Past {
    fn add(&mut self, action: RequestAction, details: Value, at: At) {
        let number = i32::try_from(self.activity.len() + 1).unwrap_or(i32::MAX);
        let activity = ArchivedActivity {
            id: ActivityId(Uuid::now_v7()),
            request_id: self.request,
            number,
            user_id: NOBODY,
            user_name: self.name.clone(),
            action,
            details,
            created_at: at,
        };
        self.activity.push((self.index, activity));
    }
}
