//! What is performed: workflows drawn by lot, each with what its performance has to come to.

use std::collections::BTreeMap;

use anyhow::Context as _;
use domain::documents::Sha256;
use rand::{RngExt, SeedableRng, rngs::StdRng};
use serde_json::{Map, Value, json};

use super::Options;
use crate::{
    chaos::{caller::Caller, waste::Documents},
    fakes::gemini::question,
};

/// The model that is asked; it has a price.
const MODEL: &str = "gemini-3.5-flash-lite";

/// How far back a task looks for others to depend on: the nearer, the longer the way to the end.
const BACK: usize = 5;

/// Bytes of what a text is made of beyond which a function makes a few letters of them instead.
/// The provider repeats no more than 400 letters.
const LONG: usize = 300;

/// The function: FNV-1a over everything it is given, by name.
const DIGEST: &str = "let hash = 2166136261;
for (const name of Object.keys(inputs).sort())
  for (const letter of inputs[name]) hash = Math.imul(hash ^ letter.charCodeAt(0), 16777619) >>> 0;
return hash.toString(16);";

/// A workflow, what it is performed on, and what has to come of it.
pub struct Work {
    tasks: Vec<Value>,
    input: Value,
    /// What was given and made, by name.
    pub store: Map<String, Value>,
    /// What its model is asked.
    questions: Vec<Sha256>,
}

/// Every workflow, the same for the same seed.
pub fn works(options: &Options) -> Vec<Work> {
    let mut dice = StdRng::seed_from_u64(options.seed);
    let works = 0..options.executions;
    works
        .map(|number| {
            let name = format!("execution {number} of {:08x}", dice.random::<u32>());
            Work::draw(&name, options.tasks, &mut dice)
        })
        .collect()
}

/// The questions that there are to be asked, once each.
pub fn questions(works: &[Work]) -> Documents {
    let all = works.iter().flat_map(|work| &work.questions);
    all.map(|question| (*question, 1)).collect()
}

impl Work {
    fn draw(name: &str, tasks: usize, dice: &mut StdRng) -> Self {
        let input = json!({ "text": name });
        let mut work = Self {
            tasks: Vec::new(),
            store: Map::from_iter([("userInput".to_owned(), input.clone())]),
            input,
            questions: Vec::new(),
        };
        for place in 0..tasks {
            let mut depends = Vec::new();
            for other in place.saturating_sub(BACK)..place {
                // Two of five on average.
                if dice.random_range(0..5) < 2 {
                    depends.push(format!("t{other}"));
                }
            }
            work.add(&format!("t{place}"), &depends, dice.random_range(0..20));
        }
        work
    }

    /// Adds a task of a kind that the lot names.
    fn add(&mut self, id: &str, depends: &[String], lot: u8) {
        let mut seen: BTreeMap<&str, String> = depends
            .iter()
            .map(|other| (other.as_str(), self.text(other)))
            .collect();
        let text = self.input["text"].as_str().unwrap_or_default().to_owned();
        let bytes: usize = seen.values().map(String::len).sum();
        let mut keys = depends.to_vec();
        keys.push("userInput.text".to_owned());
        let mut task = json!({
            "id": id, "name": id, "outputKey": id, "dependencies": depends, "inputKeys": keys,
        });
        let made = if bytes > LONG || lot < 5 {
            task["type"] = json!("TEXT_MANIPULATION");
            task["functionBody"] = json!(DIGEST);
            seen.insert("text", text);
            digest(&seen)
        } else {
            let (template, filled) = texts(id, &text, &seen);
            if lot < 11 {
                task["type"] = json!("DATA_INPUT");
                task["staticValue"] = json!(template);
                filled
            } else {
                task["type"] = json!("GEMINI_PROMPT");
                task["promptTemplate"] = json!(template);
                task["agentConfig"] = json!({ "provider": "gemini", "model": MODEL });
                self.questions.push(question(MODEL, &filled));
                format!("You said: {filled}")
            }
        };
        self.tasks.push(task);
        self.store.insert(id.to_owned(), made.into());
    }

    fn text(&self, id: &str) -> String {
        let text = self.store[id].as_str();
        text.unwrap_or_default().to_owned()
    }

    /// Has it performed, and gives the execution's id.
    pub async fn start(&self, caller: &Caller) -> anyhow::Result<String> {
        let body = json!({
            "workflow": { "name": "Under fire", "tasks": self.tasks }, "userInput": self.input,
        });
        let started = caller.post("/api/workflows/execute", &body).await?;
        Ok(started["executionId"].as_str().context("no id")?.to_owned())
    }
}

/// A text of everything that a task sees: as it is written down, and with the values in it.
fn texts(id: &str, text: &str, seen: &BTreeMap<&str, String>) -> (String, String) {
    let mut template = format!("Recite {id} of {{{{ userInput.text }}}}");
    let mut filled = format!("Recite {id} of {text}");
    for (name, value) in seen {
        template.extend([", {{", name, "}}"]);
        filled.extend([", ", value.as_str()]);
    }
    (template, filled)
}

/// What the function makes of this.
fn digest(seen: &BTreeMap<&str, String>) -> String {
    let bytes = seen.values().flat_map(|value| value.bytes());
    let hash = bytes.fold(2_166_136_261_u32, |hash, byte| {
        (hash ^ u32::from(byte)).wrapping_mul(16_777_619)
    });
    format!("{hash:x}")
}
