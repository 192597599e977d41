//! A library of prompts of one company and many owners, written past the API.

use db::{
    Connection,
    prompts::{NewPrompt, PromptChanges},
    schema::prompts,
};
use diesel_async::{RunQueryDsl as _, SimpleAsyncConnection as _};
use domain::{
    auth::Viewer,
    prompts::{PromptId, PromptKind},
    users::Visibility,
};
use serde_json::json;

const WORDS: [&str; 24] = [
    "summarise",
    "ticket",
    "customer",
    "engine",
    "valley",
    "copper",
    "lantern",
    "orbit",
    "garden",
    "protocol",
    "harvest",
    "signal",
    "marble",
    "window",
    "theatre",
    "compass",
    "ribbon",
    "granite",
    "meadow",
    "copier",
    "violin",
    "harbour",
    "anchor",
    "feather",
];

const TASKS: [&str; 6] = [
    "Explanation",
    "Summarization",
    "Translation",
    "Comparison",
    "Instruction",
    "Rhyming",
];

/// Fills an empty table; whose a prompt is says nothing of what it is about.
pub async fn fill(conn: &mut Connection, people: &[Viewer], size: usize) -> anyhow::Result<()> {
    conn.batch_execute("DROP INDEX prompts_grams; DROP INDEX prompts_sfl")
        .await?;
    let numbers: Vec<usize> = (0..size).collect();
    for part in numbers.chunks(500) {
        let rows: Vec<NewPrompt> = part
            .iter()
            .map(|number| {
                prompt(
                    &people[number % people.len()],
                    *number,
                    number / people.len(),
                )
            })
            .collect::<anyhow::Result<_>>()?;
        diesel::insert_into(prompts::table)
            .values(&rows)
            .execute(conn)
            .await?;
    }
    conn.batch_execute(
        "SET maintenance_work_mem = '512MB';
         CREATE INDEX prompts_grams ON prompts USING gin (grams);
         CREATE INDEX prompts_sfl ON prompts USING gin (sfl_field jsonb_path_ops, sfl_tenor jsonb_path_ops, sfl_mode jsonb_path_ops);
         INSERT INTO prompt_versions (id, company_id, prompt_id, lineage, version, label, body, sha256, tokens_estimate, created_by)
             SELECT gen_random_uuid(), company_id, id, 1, 1, 'Grader 1', '{}', '', 1, owner_id FROM prompts WHERE kind = 'grader';
         INSERT INTO prompt_labels (prompt_id, name, company_id, version_id, moved_by)
             SELECT prompt_id, 'production', company_id, id, created_by FROM prompt_versions",
    )
    .await?;
    // Not within a transaction, which several statements at once would be.
    conn.batch_execute("VACUUM ANALYZE").await?;
    Ok(())
}

fn prompt(viewer: &Viewer, number: usize, n: usize) -> anyhow::Result<NewPrompt> {
    let word = |place: usize| {
        let word = WORDS[(n * 7 + place * place * 5) % WORDS.len()];
        format!("{word}{}", (n * 31 + place * 17) % 997)
    };
    let words: Vec<String> = (0..40).map(word).collect();
    let tenor = json!({"aiPersona": format!("Persona {}", n % 40), "targetAudience": [format!("Group {}", n % 90), "Experts"]});
    let mode = json!({"outputFormat": format!("Format {}", n % 15)});
    let changes = PromptChanges {
        title: Some(serde_json::from_value(json!(format!(
            "Prompt {number} of the {}",
            WORDS[n % 24]
        )))?),
        prompt_text: Some(serde_json::from_value(json!(words.join(" ")))?),
        kind: Some(if n.is_multiple_of(50) {
            PromptKind::Grader
        } else {
            PromptKind::Generator
        }),
        visibility: Some(if n.is_multiple_of(3) {
            Visibility::Company
        } else {
            Visibility::Private
        }),
        sfl_field: Some(serde_json::from_value(
            json!({"topic": format!("{} {}", WORDS[n % 23], n % 211), "taskType": TASKS[n % 6]}),
        )?),
        sfl_tenor: Some(serde_json::from_value(tenor)?),
        sfl_mode: Some(serde_json::from_value(mode)?),
        ..PromptChanges::default()
    };
    Ok(changes.into_new(viewer, PromptId::new())?)
}
