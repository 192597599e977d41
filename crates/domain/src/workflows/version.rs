//! What an execution is held to: the tasks as they were at its start, and what the prompts they are
//! linked to said then.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::Task;
use crate::{
    documents::Sha256,
    prompts::{Body, PromptId, SflMode, SflTenor},
};

/// What a linked prompt says.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Linked {
    /// What the model is told.
    pub text: String,
    /// The instructions above it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub instructions: Option<String>,
}

impl Linked {
    /// Of a prompt.
    pub fn of(body: &Body) -> Self {
        Self {
            text: body.prompt_text.as_str().to_owned(),
            instructions: instructions(&body.sfl_tenor, &body.sfl_mode),
        }
    }
}

/// Persona, tone, audience and directives as instructions; `None` if nothing is said of any.
fn instructions(tenor: &SflTenor, mode: &SflMode) -> Option<String> {
    let said = |text: &str| !text.trim().is_empty();
    let audience: Vec<&str> = tenor
        .target_audience
        .iter()
        .filter(|text| said(text))
        .collect();
    let (persona, tone) = (tenor.ai_persona.as_str(), tenor.desired_tone.as_str());
    let directives = mode.textual_directives.as_str();
    let lines = [
        said(persona).then(|| format!("Your persona: {}.", persona.trim())),
        said(tone).then(|| format!("Your tone: {}.", tone.trim())),
        (!audience.is_empty()).then(|| format!("You write for: {}.", audience.join(", "))),
        said(directives).then(|| format!("Keep to these directives: {}", directives.trim())),
    ];
    let lines: Vec<String> = lines.into_iter().flatten().collect();
    (!lines.is_empty()).then(|| lines.join("\n"))
}

/// A workflow as it is performed.
#[derive(
    Debug,
    Clone,
    PartialEq,
    Serialize,
    Deserialize,
    diesel::expression::AsExpression,
    diesel::deserialize::FromSqlRow,
)]
#[diesel(sql_type = diesel::sql_types::Jsonb)]
#[serde(rename_all = "camelCase")]
pub struct Pinned {
    /// Its tasks.
    pub tasks: Vec<Task>,
    /// What its prompts said.
    #[serde(default)]
    pub prompts: BTreeMap<PromptId, Linked>,
}

jsonb!(Pinned);

impl Pinned {
    /// The same for all that are alike: of how they are written and where they stand on a canvas too.
    pub fn sha256(&self) -> Sha256 {
        let json = serde_json::to_value(self).unwrap_or_default();
        Sha256::of(crate::prompts::canonical(&json).as_bytes())
    }

    /// The prompts that tasks are linked to, each once.
    pub fn links(tasks: &[Task]) -> Vec<PromptId> {
        let mut links: Vec<PromptId> = tasks.iter().filter_map(Task::prompt).collect();
        links.sort_unstable();
        links.dedup();
        links
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn instructions_say_what_the_prompt_says_and_nothing_else() {
        let tenor: SflTenor = serde_json::from_value(json!({
            "aiPersona": "Teacher", "targetAudience": ["Beginners", " ", "Teenagers"], "desiredTone": ""
        }))
        .expect("a tenor");
        let mode: SflMode =
            serde_json::from_value(json!({"textualDirectives": "No jargon."})).expect("a mode");
        assert_eq!(
            instructions(&tenor, &mode).as_deref(),
            Some(
                "Your persona: Teacher.\nYou write for: Beginners, Teenagers.\nKeep to these directives: No jargon."
            )
        );
        assert_eq!(
            instructions(&SflTenor::default(), &SflMode::default()),
            None
        );
    }
}
