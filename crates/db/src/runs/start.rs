//! Starting a run: version, run, columns, cells and jobs in one transaction, or nothing and every
//! reason why not.

mod source;

use diesel::prelude::*;
use diesel_async::{AsyncConnection, RunQueryDsl};
use domain::{
    auth::Viewer,
    datasets::DatasetId,
    models::Usd,
    prompts::{PromptId, PromptVersionId, placeholders},
    runs::{Columns, Plan, RunId, WorkLane, lanes, preflight},
    users::Visibility,
    workflows::{WorkflowId, scope},
};

use super::{Run, find, insert};
use crate::{
    Connection,
    jobs::{NewJob, enqueue},
    models::Model,
    prompts::{
        self, Stored,
        versions::{self, PromptVersion},
    },
    schema::datasets,
    workflows::{self, Workflow},
};
pub(super) use source::Source;
use source::source;

/// Which text is run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PromptChoice {
    /// What the prompt says now; a version is made of it unless its newest says the same.
    Current(PromptId),
    /// A version as it is.
    Version(PromptVersionId),
    /// No prompt but a workflow, with what its prompts say now.
    Workflow(WorkflowId),
}

/// A run to be started.
#[derive(Debug, Clone)]
pub struct NewRun {
    /// What is run.
    pub prompt: PromptChoice,
    /// On which rows; without any, once.
    pub dataset_id: Option<DatasetId>,
    /// With which models, a column each; none for a workflow whose tasks name theirs.
    pub models: Vec<Model>,
    /// What is decided.
    pub plan: Plan,
    /// The prompt that judges the outputs.
    pub grader: Option<PromptId>,
    /// The model that does so.
    pub grader_model: Option<Model>,
    /// How often each row is repeated.
    pub repeats: u16,
    /// Calls under way at once.
    pub concurrency: u16,
    /// The most it may cost.
    pub budget: Option<Usd>,
    /// The most rows.
    pub row_limit: Option<u32>,
    /// The most cells.
    pub most_cells: u32,
    /// Who besides the viewer may see it.
    pub visibility: Visibility,
    /// The request that asks for it.
    pub request_id: Option<String>,
}

/// Why no run was started.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// Everything that is missing or wrong, by member of the request.
    #[error("the run cannot be started")]
    Faults(Vec<(&'static str, String)>),
    /// Postgres failed.
    #[error(transparent)]
    Database(#[from] diesel::result::Error),
}

impl NewRun {
    /// How many columns it has.
    pub fn columns(&self) -> usize {
        self.models.len().max(1)
    }
}

/// What makes the outputs.
pub(super) enum Generator {
    /// A prompt.
    Prompt(Box<Chosen>),
    /// A workflow.
    Workflow(Box<Workflow>),
}

impl Generator {
    /// The names that the dataset has to have, and what to call who needs them.
    fn names(&self) -> (&'static str, Vec<String>) {
        match self {
            Self::Prompt(chosen) => ("Generator", placeholders::names(chosen.text())),
            Self::Workflow(workflow) => ("Workflow", scope::needed(&workflow.tasks.0)),
        }
    }
}

/// What is run, with its prompt.
pub(super) struct Chosen {
    stored: Stored,
    version: Option<PromptVersion>,
}

/// The rows that are run on.
pub(super) struct Rows {
    pub version: i32,
    pub headers: Vec<String>,
    pub count: i32,
}

/// Starts a run.
pub async fn start(
    conn: &mut Connection,
    viewer: &Viewer,
    new: &NewRun,
) -> Result<Run, StartError> {
    conn.transaction(async |conn| {
        let Prepared {
            generator,
            grader,
            rows,
            count,
        } = prepared(conn, viewer, new).await?;
        let id = RunId::new();
        let source = source(conn, viewer, &generator, id).await?;
        let grader = match &grader {
            Some(grader) => Some(version(conn, viewer, grader, id).await?),
            None => None,
        };
        insert::run(
            conn,
            viewer,
            new,
            id,
            &source,
            grader.as_ref(),
            rows.as_ref(),
            count,
        )
        .await?;
        insert::cells(conn, new, id, rows.as_ref(), count).await?;
        enqueue_lanes(conn, viewer, id, new).await?;
        Ok(find(conn, viewer, id).await?)
    })
    .await
}

/// What a run is made of, once nothing is wrong with it.
pub(super) struct Prepared {
    pub generator: Generator,
    pub grader: Option<Chosen>,
    pub rows: Option<Rows>,
    pub count: i32,
}

/// What this run is made of, or every reason why it cannot be started.
pub(super) async fn prepared(
    conn: &mut Connection,
    viewer: &Viewer,
    new: &NewRun,
) -> Result<Prepared, StartError> {
    let mut faults = Vec::new();
    let generator = generator(conn, viewer, new.prompt).await?;
    if generator.is_none() {
        faults.push(match new.prompt {
            PromptChoice::Workflow(_) => {
                ("workflowId", "must name a workflow that you can see".into())
            }
            _ => (
                "promptId",
                "must name a prompt or version that you can see".into(),
            ),
        });
    }
    let grader = match new.grader {
        Some(id) => chosen(conn, viewer, PromptChoice::Current(id)).await?,
        None => None,
    };
    if new.grader.is_some() && grader.is_none() {
        faults.push((
            "graderPromptId",
            "must name a prompt that you can see".into(),
        ));
    }
    let rows = match new.dataset_id {
        Some(id) => rows(conn, viewer, id).await?,
        None => None,
    };
    if new.dataset_id.is_some() && rows.is_none() {
        faults.push(("datasetId", "must name a dataset that you can see".into()));
    }
    let count = count(new, rows.as_ref(), &mut faults);
    let (Some(generator), true) = (generator, faults.is_empty()) else {
        return Err(StartError::Faults(faults));
    };
    check_columns(new, &generator, grader.as_ref(), rows.as_ref())?;
    Ok(Prepared {
        generator,
        grader,
        rows,
        count,
    })
}

async fn generator(
    conn: &mut Connection,
    viewer: &Viewer,
    choice: PromptChoice,
) -> QueryResult<Option<Generator>> {
    if let PromptChoice::Workflow(id) = choice {
        let workflow = workflows::find(conn, viewer, id).await.optional()?;
        return Ok(workflow.map(|workflow| Generator::Workflow(Box::new(workflow))));
    }
    let chosen = chosen(conn, viewer, choice).await?;
    Ok(chosen.map(|chosen| Generator::Prompt(Box::new(chosen))))
}

async fn chosen(
    conn: &mut Connection,
    viewer: &Viewer,
    choice: PromptChoice,
) -> QueryResult<Option<Chosen>> {
    match choice {
        PromptChoice::Current(id) => {
            let stored = prompts::lock_visible(conn, viewer, id).await?;
            Ok(stored.map(|stored| Chosen {
                stored,
                version: None,
            }))
        }
        PromptChoice::Workflow(_) => Ok(None),
        PromptChoice::Version(id) => {
            let Some(version) = versions::visible(conn, viewer, id).await? else {
                return Ok(None);
            };
            let stored = prompts::find_visible(conn, viewer, version.prompt_id).await?;
            Ok(Some(Chosen {
                stored,
                version: Some(version),
            }))
        }
    }
}

/// The dataset, kept from being deleted while the run is started.
async fn rows(conn: &mut Connection, viewer: &Viewer, id: DatasetId) -> QueryResult<Option<Rows>> {
    let own = datasets::owner_id.eq(viewer.user_id);
    let row: Option<(i32, Vec<String>, i32)> = datasets::table
        .filter(
            datasets::id
                .eq(id)
                .and(datasets::company_id.eq(viewer.company_id)),
        )
        .filter(own.or(datasets::visibility.eq("company")))
        .filter(datasets::archived_at.is_null())
        .select((datasets::version, datasets::headers, datasets::row_count))
        .for_share()
        .first(conn)
        .await
        .optional()?;
    Ok(row.map(|(version, headers, count)| Rows {
        version,
        headers,
        count,
    }))
}

/// How many rows are run; what is wrong with that goes to `faults`.
fn count(new: &NewRun, rows: Option<&Rows>, faults: &mut Vec<(&'static str, String)>) -> i32 {
    let limit = new
        .row_limit
        .map_or(i32::MAX, |limit| i32::try_from(limit).unwrap_or(i32::MAX));
    let count = rows.map_or(1, |rows| rows.count.min(limit));
    if count == 0 {
        faults.push(("datasetId", "The dataset has no rows".into()));
    }
    let cells = u64::from(count.unsigned_abs()) * new.columns() as u64 * u64::from(new.repeats);
    if cells > u64::from(new.most_cells) {
        let sentence = format!(
            "{cells} cells are too many: at most {} rows × models × repeats; a rowLimit makes them fewer",
            new.most_cells
        );
        faults.push(("rowLimit", sentence));
    }
    count
}

fn check_columns(
    new: &NewRun,
    generator: &Generator,
    grader: Option<&Chosen>,
    rows: Option<&Rows>,
) -> Result<(), StartError> {
    let (what, generator) = generator.names();
    let grader = grader.map(|grader| placeholders::names(grader.text()));
    let faults = preflight(&Columns {
        headers: rows.map(|rows| rows.headers.as_slice()),
        what,
        generator: &generator,
        grader: grader.as_deref(),
        expected: new.plan.expected_column.as_deref(),
    });
    if faults.is_empty() {
        Ok(())
    } else {
        Err(StartError::Faults(faults))
    }
}

impl Chosen {
    pub(super) fn text(&self) -> &str {
        match &self.version {
            Some(version) => version.body.prompt_text.as_str(),
            None => self.stored.prompt.prompt_text.as_str(),
        }
    }
}

/// The version to be run with its prompt; made now if need be.
async fn version<'a>(
    conn: &mut Connection,
    viewer: &Viewer,
    chosen: &'a Chosen,
    run: RunId,
) -> QueryResult<(&'a Stored, PromptVersion)> {
    let version = match &chosen.version {
        Some(version) => version.clone(),
        None => {
            versions::ensure(conn, &chosen.stored, viewer.user_id, Some(run.0))
                .await?
                .0
        }
    };
    Ok((&chosen.stored, version))
}

async fn enqueue_lanes(
    conn: &mut Connection,
    viewer: &Viewer,
    id: RunId,
    new: &NewRun,
) -> QueryResult<()> {
    let lanes = lanes(new.concurrency);
    let jobs = lane_jobs(
        id,
        viewer.company_id.0,
        viewer.company_id,
        &lanes,
        new.request_id.as_ref(),
    );
    enqueue(conn, &jobs).await.map(|_| ())
}

/// The jobs of a run's lanes. A lane whose job still lives gets no second one.
pub(super) fn lane_jobs(
    run_id: RunId,
    fair_key: uuid::Uuid,
    company: domain::users::CompanyId,
    lanes: &[u16],
    request_id: Option<&String>,
) -> Vec<NewJob> {
    let job = |(lane, width): (usize, &u16)| {
        NewJob::new(&WorkLane {
            run_id,
            width: *width,
        })
        .of(company, fair_key)
        .on(run_id.0)
        .once(format!("{run_id}:{lane}"))
        .caused_by(request_id.cloned())
    };
    lanes.iter().enumerate().map(job).collect()
}
