//! Prompts and workflows as the API takes them, from archives and from what browsers kept.

use chrono::{DateTime, Utc};
use db::{
    archive::{Bundle, HIGHEST_NUMBER},
    prompts::archive::{ImportedPrompt, Origin},
    workflows::archive::Imported,
};
use domain::{auth::Viewer, documents::Sha256, prompts::PromptId, workflows::WorkflowId};
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::super::found::Found;
use crate::{extract::Faults, prompts::PromptBody, workflows::WorkflowBody};

/// A prompt as the API takes one, with its id. A whole one has all its members: what is not there it has
/// not.
pub fn prompt(
    found: &mut Found,
    index: usize,
    value: Value,
    viewer: &Viewer,
    is_whole: bool,
) -> Option<ImportedPrompt> {
    let id = PromptId(id_of(&value, viewer));
    let created_at = moment(&value["createdAt"]);
    let named = |member: &str| value[member].as_str().and_then(|text| text.parse().ok());
    let origin = Origin {
        issue: named("issueId").map(domain::trackers::IssueId),
        request: named("requestId").map(domain::requests::RequestId),
        template: named("templateId").map(domain::templates::TemplateId),
    };
    let lineage = value["lineage"].as_i64().unwrap_or(1);
    let allowed = |lineage: &i32| (1..=HIGHEST_NUMBER).contains(lineage);
    let Some(lineage) = i32::try_from(lineage).ok().filter(allowed) else {
        found.fault(
            "prompts",
            index,
            "lineage",
            format!("must be 1 to {HIGHEST_NUMBER}"),
        );
        return None;
    };
    let body: PromptBody = match deserr::deserialize::<_, _, Faults>(value) {
        Ok(body) => body,
        Err(faults) => {
            found.faults("prompts", index, faults.into_list());
            return None;
        }
    };
    let mut members = body.changes();
    let missing = [
        (members.title.is_none(), "title"),
        (members.prompt_text.is_none(), "promptText"),
    ];
    let missing: Vec<_> = missing.into_iter().filter(|(lacks, _)| *lacks).collect();
    for (_, member) in &missing {
        found.fault("prompts", index, member, "is required");
    }
    if is_whole {
        members.notes.get_or_insert(None);
        members.example_output.get_or_insert(None);
        members.source_document.get_or_insert(None);
    }
    missing.is_empty().then_some(ImportedPrompt {
        index,
        id,
        members,
        origin: if is_whole { origin } else { Origin::default() },
        lineage,
        created_at,
    })
}

/// A workflow as the API takes one, with its id. Links to prompts that a browser named otherwise lead
/// to the ids that these get.
pub fn workflow(
    found: &mut Found,
    index: usize,
    mut value: Value,
    viewer: &Viewer,
) -> Option<Bundle> {
    let id = WorkflowId(id_of(&value, viewer));
    let (created_at, is_default) = (moment(&value["createdAt"]), value["isDefault"] == true);
    let tasks = value.get_mut("tasks").and_then(Value::as_array_mut);
    for task in tasks.into_iter().flatten() {
        if let Some(Value::String(link)) = task.get_mut("promptId")
            && !link.trim().is_empty()
        {
            *link = named(link, viewer).to_string();
        }
    }
    let read = deserr::deserialize::<WorkflowBody, _, Faults>(value);
    let faults = match read.map(WorkflowBody::changes) {
        Ok(Ok(members)) if members.name.is_some() && members.tasks.is_some() => {
            return Some(Bundle::Workflow(Box::new(Imported {
                index,
                id,
                members,
                is_default,
                created_at,
            })));
        }
        Ok(Ok(_)) => {
            found.fault("workflows", index, "", "needs name and tasks");
            return None;
        }
        Ok(Err(refusal)) => refusal.errors,
        Err(faults) => faults.into_list(),
    };
    found.faults("workflows", index, faults);
    None
}

/// Rows of which the first fault is told.
pub(super) fn rows<T: DeserializeOwned>(
    found: &mut Found,
    area: &str,
    values: Vec<(usize, Value)>,
) -> Vec<(usize, T)> {
    let read = |(index, value)| match serde_json::from_value(value) {
        Ok(row) => Some((index, row)),
        Err(fault) => {
            found.fault(area, index, "", fault.to_string());
            None
        }
    };
    values.into_iter().filter_map(read).collect()
}

fn moment(value: &Value) -> Option<DateTime<Utc>> {
    let at = DateTime::parse_from_rfc3339(value.as_str()?).ok()?;
    Some(at.with_timezone(&Utc))
}

/// The id of a row as it is, or, where a browser made up one of another form or none, always the same
/// for it.
pub fn id_of(value: &Value, viewer: &Viewer) -> uuid::Uuid {
    match &value["id"] {
        Value::String(text) if !text.is_empty() => named(text, viewer),
        Value::Number(number) => named(&number.to_string(), viewer),
        _ => named(&format!("unnamed:{value}"), viewer),
    }
}

fn named(text: &str, viewer: &Viewer) -> uuid::Uuid {
    text.parse().unwrap_or_else(|_| {
        let named = format!("{}/{}/{text}", viewer.company_id, viewer.user_id);
        let Sha256(hash) = Sha256::of(named.as_bytes());
        let mut bytes = [0; 16];
        bytes.copy_from_slice(&hash[..16]);
        uuid::Builder::from_custom_bytes(bytes).into_uuid()
    })
}
