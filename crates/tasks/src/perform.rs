//! What each kind of task does.

use std::{collections::BTreeMap, time::Duration};

use domain::{
    auth::Viewer,
    documents::{SearchMode, SearchQuery},
    models::ModelRef,
    prompts::{PromptId, placeholders::TooLong},
    providers::generate::{Finish, Part, Reply, Request},
    workflows::{
        Linked, Scope, Task, TaskKind,
        scope::{MissingInput, Store},
        template,
    },
};
use serde_json::{Value, json};

use crate::{
    Asks, Callee, Failure, Made, Means, Spent,
    made::{Costly, size, spent, storable},
    picture::picture,
    search,
};

/// The most bytes of a result, written as JSON.
const MOST_BYTES: usize = 5 * 1024 * 1024;

/// The same of a value that was given and is handed on, such as a picture.
const MOST_GIVEN_BYTES: usize = 16 * 1024 * 1024;

/// How long a process is simulated that does not say.
const SIMULATED: Duration = Duration::from_secs(1);

/// Who performs tasks, for whom.
pub struct Performer<'a, A> {
    /// With what.
    pub means: Means<'a>,
    /// On whose behalf.
    pub viewer: &'a Viewer,
    /// Who asks models.
    pub asks: A,
    /// The model that takes the place of those that tasks name.
    pub model: Option<&'a ModelRef>,
    /// What functions draw their random numbers from.
    pub seed: u64,
    /// What the prompts say that tasks are linked to.
    pub prompts: &'a BTreeMap<PromptId, Linked>,
}

impl From<MissingInput> for Failure {
    fn from(cause: MissingInput) -> Self {
        Self::of("missing_input", cause.to_string())
    }
}

impl From<TooLong> for Failure {
    fn from(cause: TooLong) -> Self {
        Self::of("input_too_long", format!("Of this task, {cause}."))
    }
}

impl<A: Asks> Performer<'_, A> {
    /// Performs a task once. Whatever was spent is told, also of one that fails.
    pub async fn once(&self, task: &Task, store: &Store) -> Costly<Made> {
        let scope = Scope::of(task, store).map_err(|cause| (cause.into(), Spent::default()))?;
        let made = match task.kind {
            TaskKind::GeminiPrompt | TaskKind::GeminiGrounded | TaskKind::ImageAnalysis => {
                self.ask(task, &scope).await?
            }
            _ => self
                .free(task, &scope)
                .await
                .map_err(|cause| (cause, Spent::default()))?,
        };
        let bytes = size(&made.value);
        let most = match task.kind {
            TaskKind::DataInput | TaskKind::DisplayChart => MOST_GIVEN_BYTES,
            _ => MOST_BYTES,
        };
        if bytes > most {
            let message = format!("The result has {bytes} bytes, and may have {most}.");
            return Err((Failure::of("result_too_large", message), made.spent));
        }
        Ok(Made {
            value: storable(made.value),
            ..made
        })
    }

    /// Performs a task that asks no model.
    async fn free(&self, task: &Task, scope: &Scope<'_>) -> Result<Made, Failure> {
        Ok(match task.kind {
            TaskKind::DataInput => match task.static_value.as_ref() {
                Some(Value::String(text)) => template::value(text, scope)?,
                other => other.cloned().unwrap_or_default(),
            }
            .into(),
            TaskKind::DisplayChart => chart(task, scope)?.into(),
            TaskKind::TextManipulation => self.function(task, scope).await?.into(),
            TaskKind::DocumentSearch => self.search(task, scope).await?.into(),
            _ => simulate(task).await.into(),
        })
    }

    async fn function(&self, task: &Task, scope: &Scope<'_>) -> Result<Value, Failure> {
        let call = sandbox::Call {
            tenant: self.viewer.company_id.0,
            body: task.function().unwrap_or_default(),
            inputs: &scope.inputs,
            seed: self.seed_of(task),
        };
        self.means
            .sandbox
            .call(&call)
            .await
            .map_err(|cause| match cause {
                sandbox::CallError::Failed(cause) => Failure::Internal(cause.into()),
                cause => Failure::of("function_failed", sentence(&cause.to_string())),
            })
    }

    /// Where the random numbers of this task begin: each task has others (FNV-1a of its name).
    fn seed_of(&self, task: &Task) -> u64 {
        let mix =
            |seed: u64, byte: u8| (seed ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
        task.id.as_str().bytes().fold(self.seed, mix)
    }

    async fn search(&self, task: &Task, scope: &Scope<'_>) -> Result<Value, Failure> {
        let text = template::text(task.template().unwrap_or_default(), scope)?;
        // A question is cut rather than refused: what it begins with says what it is about.
        let text: String = text.trim().chars().take(2000).collect();
        let query: SearchQuery = text.parse().map_err(|fault| {
            Failure::of("query_invalid", format!("What is searched for {fault}."))
        })?;
        let wanted = search::Wanted {
            query,
            limit: task.limit.unwrap_or(10),
            mode: task.mode.unwrap_or(SearchMode::Semantic),
            document_ids: task.document_ids.clone().unwrap_or_default(),
            min_score: None,
        };
        let means = &self.means;
        let found = search::find(
            means.pool,
            means.gateway,
            means.embedder,
            self.viewer,
            wanted,
        )
        .await;
        let (found, _) = found.map_err(|cause| match cause {
            search::SearchError::Provider(cause) => cause.into(),
            search::SearchError::Pool(cause) => Failure::from(cause),
            search::SearchError::Database(cause) => cause.into(),
        })?;
        Ok(serde_json::to_value(found).unwrap_or_default())
    }

    async fn ask(&self, task: &Task, scope: &Scope<'_>) -> Costly<Made> {
        let free = |cause| (cause, Spent::default());
        let agent = task.agent();
        let wanted = self.model.cloned().or_else(|| agent.model());
        let (pool, gateway) = (self.means.pool, self.means.gateway);
        let callee = Callee::of(pool, gateway, self.viewer.company_id, wanted.as_ref()).await;
        let callee = callee.map_err(|cause| free(of_model(cause, wanted.as_ref())))?;
        let request = self.request(task, scope, &callee).map_err(free)?;
        let answer = self.asks.ask(&callee, &request).await.map_err(free)?;
        let spent = spent(&answer.reply, answer.cost);
        match taken(task, answer.reply) {
            Ok((value, notice)) => Ok(Made {
                value,
                spent,
                notice,
            }),
            Err(cause) => Err((cause, spent)),
        }
    }

    /// What the model is asked.
    fn request(&self, task: &Task, scope: &Scope<'_>, callee: &Callee) -> Result<Request, Failure> {
        let agent = task.agent();
        let linked = match task.prompt() {
            Some(id) => {
                let linked = self.prompts.get(&id);
                Some(linked.ok_or_else(|| {
                    Failure::of(
                        "prompt_not_found",
                        format!("Prompt with ID {id} not found."),
                    )
                })?)
            }
            None => None,
        };
        let template = linked.map_or(task.template().unwrap_or_default(), |linked| &linked.text);
        let text = template::text(template, scope)?;
        if text.trim().is_empty() {
            return Err(Failure::of(
                "prompt_empty",
                "The prompt is empty once its values are in it.",
            ));
        }
        let own = agent
            .system_instruction
            .as_ref()
            .map(|text| text.as_str().to_owned());
        let own = own.filter(|text| !text.trim().is_empty());
        let mut request = Request {
            system: linked
                .and_then(|linked| linked.instructions.clone())
                .or(own),
            sampling: agent.sampling(),
            web_search: task.kind == TaskKind::GeminiGrounded,
            ..callee.request(&text)
        };
        if task.kind == TaskKind::ImageAnalysis {
            show(task, scope, callee, &mut request)?;
        }
        Ok(request)
    }
}

/// Shows the model the picture at the task's first input.
fn show(
    task: &Task,
    scope: &Scope<'_>,
    callee: &Callee,
    request: &mut Request,
) -> Result<(), Failure> {
    if !callee.model().capabilities.images_in {
        let message = format!(
            "{} takes no pictures: name a model that does.",
            callee.name()
        );
        return Err(Failure::of("model_unusable", message));
    }
    let value = task
        .inputs()
        .next()
        .and_then(|path| scope.inputs.get(path.last()));
    let image = picture(value.unwrap_or(&Value::Null))?;
    if let Some(turn) = request.turns.first_mut() {
        turn.parts.insert(0, Part::Image(image));
    }
    Ok(())
}

/// A failure to find a model, with the name that was looked for.
fn of_model(cause: Failure, wanted: Option<&ModelRef>) -> Failure {
    match (cause, wanted) {
        (Failure::Task { code, message }, Some(wanted)) => {
            Failure::of(code, format!("The model `{wanted}` {message}."))
        }
        (Failure::Task { code, message }, None) => {
            Failure::of(code, format!("The model {message}."))
        }
        (cause, _) => cause,
    }
}

/// A clause as a sentence.
fn sentence(clause: &str) -> String {
    let mut chars = clause.chars();
    let first = chars
        .next()
        .map(|first| first.to_uppercase().to_string())
        .unwrap_or_default();
    format!("{first}{}.", chars.as_str().trim_end_matches('.'))
}

/// The result that a task takes from an answer, and what is to be said of it.
fn taken(task: &Task, reply: Reply) -> Result<(Value, Option<String>), Failure> {
    let mut notices = Vec::new();
    match reply.finish {
        Finish::Stop => {}
        Finish::Truncated => notices.push("The answer was cut at the limit of tokens.".to_owned()),
        Finish::Cut => {
            return Err(
                domain::providers::ProviderError::Timeout("the answer broke off".into()).into(),
            );
        }
        Finish::Refused(reason) => {
            return Err(Failure::of(
                "provider_refused",
                format!("The model withheld its answer: {reason}"),
            ));
        }
    }
    if !reply.not_applied.is_empty() {
        notices.push(format!(
            "The model does not take: {}.",
            reply.not_applied.join(", ")
        ));
    }
    let value = if task.kind == TaskKind::GeminiGrounded {
        let sources: Vec<Value> = reply
            .citations
            .into_iter()
            .map(|source| json!({"uri": source.url, "title": source.title}))
            .collect();
        json!({"text": reply.text, "sources": sources})
    } else {
        Value::String(reply.text)
    };
    Ok((value, (!notices.is_empty()).then(|| notices.join(" "))))
}

fn chart(task: &Task, scope: &Scope<'_>) -> Result<Value, Failure> {
    let path = task
        .data_key
        .as_ref()
        .map(ToString::to_string)
        .unwrap_or_default();
    let found = scope.at(&path).map(std::borrow::Cow::into_owned);
    found.ok_or_else(|| {
        Failure::of(
            "missing_input",
            format!("There is nothing at \"{path}\" to show."),
        )
    })
}

async fn simulate(task: &Task) -> Value {
    let wait = task
        .static_value
        .as_ref()
        .and_then(Value::as_u64)
        .map_or(SIMULATED, Duration::from_millis);
    tokio::time::sleep(wait).await;
    json!({"status": "ok", "message": format!("Simulated process for {} completed.", task.name)})
}
