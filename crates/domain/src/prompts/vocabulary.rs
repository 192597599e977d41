//! The words that prompts are commonly described with. They are offered, not required: whatever
//! somebody writes instead is as good.

use std::collections::BTreeSet;

use serde::Serialize;
use utoipa::ToSchema;

/// The values on offer per member: the well-known ones first, then those in use by their order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Vocabulary {
    /// Of `sflField.taskType`.
    pub task_type: Vec<String>,
    /// Of `sflTenor.aiPersona`.
    pub ai_persona: Vec<String>,
    /// Of `sflTenor.targetAudience`.
    pub target_audience: Vec<String>,
    /// Of `sflTenor.desiredTone`.
    pub desired_tone: Vec<String>,
    /// Of `sflMode.outputFormat`.
    pub output_format: Vec<String>,
    /// Of `sflMode.lengthConstraint`.
    pub length_constraint: Vec<String>,
}

const TASK_TYPES: [&str; 12] = [
    "Explanation",
    "Summarization",
    "Code Generation",
    "Creative Writing",
    "Translation",
    "Brainstorming",
    "Question Answering",
    "Data Analysis",
    "Comparison",
    "Instruction",
    "Dialogue Generation",
    "Outline Creation",
];

const PERSONAS: [&str; 9] = [
    "Expert",
    "Friendly Assistant",
    "Sarcastic Bot",
    "Neutral Reporter",
    "Creative Muse",
    "Teacher/Tutor",
    "Devil's Advocate",
    "Philosopher",
    "Historian",
];

const AUDIENCES: [&str; 10] = [
    "General Public",
    "Beginners",
    "Intermediates",
    "Experts",
    "Children (5-7 years)",
    "Teenagers (13-17 years)",
    "Software Developers",
    "Academic Researchers",
    "Business Professionals",
    "Policy Makers",
];

const TONES: [&str; 12] = [
    "Formal",
    "Informal",
    "Humorous",
    "Serious",
    "Empathetic",
    "Concise",
    "Detailed",
    "Persuasive",
    "Objective",
    "Enthusiastic",
    "Critical",
    "Neutral",
];

const FORMATS: [&str; 15] = [
    "Plain Text",
    "Markdown",
    "JSON",
    "XML",
    "Python Code",
    "JavaScript Code",
    "HTML",
    "Bullet Points",
    "Numbered List",
    "Poem",
    "Short Story",
    "Email",
    "Report",
    "Spreadsheet (CSV-like)",
    "Slide Presentation Outline",
];

const LENGTHS: [&str; 8] = [
    "Single Sentence",
    "Short Paragraph (~50 words)",
    "Medium Paragraph (~150 words)",
    "Long Paragraph (~300 words)",
    "Multiple Paragraphs (~500+ words)",
    "Concise (as needed)",
    "Detailed (as needed)",
    "No Specific Limit",
];

impl Vocabulary {
    /// The well-known values, and those in use, each given with the name of its member.
    pub fn with(in_use: impl IntoIterator<Item = (String, String)>) -> Self {
        let in_use: BTreeSet<(String, String)> = in_use.into_iter().collect();
        let merged = |member: &str, known: &[&str]| {
            let further = in_use
                .iter()
                .filter(|(of, value)| of == member && !known.contains(&value.as_str()))
                .map(|(_, value)| value.clone());
            let known = known.iter().map(|value| (*value).to_owned());
            known.chain(further).collect()
        };
        Self {
            task_type: merged("taskType", &TASK_TYPES),
            ai_persona: merged("aiPersona", &PERSONAS),
            target_audience: merged("targetAudience", &AUDIENCES),
            desired_tone: merged("desiredTone", &TONES),
            output_format: merged("outputFormat", &FORMATS),
            length_constraint: merged("lengthConstraint", &LENGTHS),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_in_use_follow_the_known_ones_once() {
        let pair = |member: &str, value: &str| (member.to_owned(), value.to_owned());
        let vocabulary = Vocabulary::with([
            pair("taskType", "Rhyming"),
            pair("taskType", "Explanation"),
            pair("taskType", "Rhyming"),
            pair("aiPersona", "Pirate"),
        ]);
        assert_eq!(vocabulary.task_type.len(), TASK_TYPES.len() + 1);
        assert_eq!(
            vocabulary.task_type.last().map(String::as_str),
            Some("Rhyming")
        );
        assert_eq!(
            vocabulary.ai_persona.last().map(String::as_str),
            Some("Pirate")
        );
    }
}
