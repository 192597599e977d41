//! Example prompts: one that is released, one that asks for JSON, and one that grades.

use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use domain::{
    auth::{Via, Viewer},
    prompts::{LabelName, PromptId},
    revision::Expected,
    users::{Role, UserId, Visibility},
};
use serde_json::{Value, json};

use super::{EXAMPLE_COMPANY, fixed};
use crate::{
    Connection,
    prompts::{
        ChangeError, PromptChanges, labels, put,
        versions::{self, Which},
    },
    schema::prompts,
};

/// Adds the example prompts that are missing, and names them.
pub async fn examples(connection: &mut Connection) -> QueryResult<Vec<String>> {
    let dora = Viewer {
        user_id: UserId(fixed(19)),
        company_id: EXAMPLE_COMPANY,
        role: Role::Developer,
        via: Via::SingleUser,
    };
    let mut added = Vec::new();
    for (number, example) in (32..).zip(all()) {
        let id = PromptId(fixed(number));
        let there: i64 = prompts::table
            .find(id)
            .count()
            .get_result(connection)
            .await?;
        if there > 0 {
            continue;
        }
        let title = example["title"].as_str().unwrap_or_default().to_owned();
        add(connection, &dora, id, &example)
            .await
            .map_err(|cause| match cause {
                ChangeError::Database(cause) => cause,
                cause => diesel::result::Error::SerializationError(Box::new(cause)),
            })?;
        added.push(format!("prompt {title}"));
    }
    Ok(added)
}

async fn add(
    connection: &mut Connection,
    owner: &Viewer,
    id: PromptId,
    example: &Value,
) -> Result<(), ChangeError> {
    let any = Expected::Any;
    put(connection, owner, id, &members(example)?, &any).await?;
    let label = example["label"].as_str().and_then(|text| text.parse().ok());
    if let Some(label) = label {
        let label: LabelName = label;
        let (version, _) = versions::create(connection, owner, id, &any).await?;
        let which = Which::Id(version.id);
        labels::point(connection, owner, id, &label, which, &any).await?;
    }
    Ok(())
}

fn members(example: &Value) -> QueryResult<PromptChanges> {
    fn read<T: serde::de::DeserializeOwned>(value: &Value) -> QueryResult<Option<T>> {
        serde_json::from_value(value.clone())
            .map_err(|cause| diesel::result::Error::DeserializationError(Box::new(cause)))
    }
    Ok(PromptChanges {
        title: read(&example["title"])?,
        prompt_text: read(&example["promptText"])?,
        kind: read(&example["kind"])?,
        sfl_field: read(&example["sflField"])?,
        sfl_tenor: read(&example["sflTenor"])?,
        sfl_mode: read(&example["sflMode"])?,
        visibility: Some(Visibility::Company),
        ..PromptChanges::default()
    })
}

fn all() -> [Value; 3] {
    [
        json!({
            "title": "Summarise a support ticket",
            "promptText": "Summarise the ticket below for a colleague who takes it over: what the \
                customer wants, what was tried, what is open.\n\nTicket:\n{{ticket}}",
            "sflField": {"topic": "Customer support", "taskType": "Summarization", "keywords": "ticket, handover"},
            "sflTenor": {"aiPersona": "Expert", "targetAudience": ["Business Professionals"], "desiredTone": "Concise"},
            "sflMode": {"outputFormat": "Bullet Points", "lengthConstraint": "Short Paragraph (~50 words)"},
            "label": "production",
        }),
        json!({
            "title": "Extract the parts of an address",
            "promptText": "Read the address and answer with JSON that has the members `street`, `city`, \
                `postalCode` and `country`, within <response></response>.\n\nAddress: {{address}}",
            "sflField": {"topic": "Addresses", "taskType": "Data Analysis", "keywords": "extraction"},
            "sflTenor": {"aiPersona": "Expert", "targetAudience": ["Software Developers"], "desiredTone": "Objective"},
            "sflMode": {"outputFormat": "JSON", "lengthConstraint": "Concise (as needed)"},
        }),
        json!({
            "title": "Grade a summary",
            "kind": "grader",
            "promptText": "Does the summary say what the ticket says, and nothing else? Answer yes or \
                no within <response></response>.\n\nTicket:\n{{ticket}}\n\nSummary:\n{{output}}",
            "sflField": {"topic": "Customer support", "taskType": "Comparison", "keywords": "grading"},
            "sflTenor": {"aiPersona": "Expert", "targetAudience": ["Software Developers"], "desiredTone": "Critical"},
            "sflMode": {"outputFormat": "Plain Text", "lengthConstraint": "Single Sentence"},
        }),
    ]
}
