//! `worker jobs` and `worker workers`: what admins see of their company in the API, for all companies at
//! once. What is done here is entered into the audit log under the program's name.

mod lines;

use clap::Subcommand;
use db::{
    Connection,
    jobs::{Filter, Laid, Selection},
};
use domain::{
    jobs::{ErrorClass, JobId, JobKind, JobState, PauseNote},
    models::ProviderKeyId,
    users::CompanyId,
};

/// Everything at once: an operator waits for the end, and nobody else is kept waiting.
const ALL: i64 = 1 << 31;

#[derive(clap::Args)]
pub struct Workers {
    #[command(flatten)]
    db: db::pool::Config,
}

#[derive(clap::Args)]
pub struct Jobs {
    #[command(flatten)]
    db: db::pool::Config,
    #[command(subcommand)]
    action: Action,
}

#[derive(Subcommand)]
enum Action {
    /// List jobs, newest first.
    List {
        /// Only in this state.
        #[arg(long)]
        state: Option<JobState>,
        /// Only of this kind.
        #[arg(long)]
        kind: Option<JobKind>,
        /// Only those whose last failure was of this class.
        #[arg(long)]
        error_class: Option<ErrorClass>,
        /// Only those that work on this row.
        #[arg(long)]
        subject: Option<JobId>,
        /// Only of this company.
        #[arg(long)]
        company: Option<CompanyId>,
        /// At most so many.
        #[arg(long, default_value_t = 50)]
        limit: i64,
    },
    /// Show all that is known of a job, as JSON.
    Show {
        /// Which one.
        id: JobId,
    },
    /// Show how each kind stands.
    Summary {
        /// Only in this company.
        #[arg(long)]
        company: Option<CompanyId>,
    },
    /// List dead letters by kind and class of failure.
    Dead {
        /// Only of this company.
        #[arg(long)]
        company: Option<CompanyId>,
    },
    /// Give dead jobs another round of attempts.
    Retry {
        #[command(flatten)]
        which: Which,
        /// Only of this company.
        #[arg(long)]
        company: Option<CompanyId>,
        /// No more than so many become due each second.
        #[arg(long, value_parser = clap::value_parser!(u16).range(1..=1000))]
        rate: Option<u16>,
    },
    /// Give up dead jobs for good, and waiting ones that are named.
    Discard {
        #[command(flatten)]
        which: Which,
        /// Only of this company.
        #[arg(long)]
        company: Option<CompanyId>,
    },
    /// List what is paused.
    Pauses,
    /// Have jobs of a kind not begun any more.
    Pause {
        /// Which kind.
        kind: JobKind,
        /// For this company only.
        #[arg(long)]
        company: Option<CompanyId>,
        /// What others should know.
        #[arg(long)]
        note: Option<PauseNote>,
    },
    /// Have jobs of a kind begun again.
    Resume {
        /// Which kind.
        kind: JobKind,
        /// For this company, which was paused by itself.
        #[arg(long)]
        company: Option<CompanyId>,
    },
    /// Have no more calls made with a company's key of a provider.
    PauseKey {
        /// Which key.
        id: ProviderKeyId,
        /// What others should know.
        #[arg(long)]
        note: Option<PauseNote>,
    },
    /// Have calls made with the key again.
    ResumeKey {
        /// Which key.
        id: ProviderKeyId,
    },
}

/// Which jobs, by at least one of these; each narrows the others.
#[derive(clap::Args)]
#[group(required = true, multiple = true)]
struct Which {
    /// These.
    ids: Vec<JobId>,
    /// All dead ones of this kind.
    #[arg(long)]
    kind: Option<JobKind>,
    /// All dead ones whose last failure was of this class.
    #[arg(long)]
    error_class: Option<ErrorClass>,
}

impl Which {
    fn of(self, company_id: Option<CompanyId>) -> Selection {
        Selection {
            company_id,
            ids: self.ids,
            kind: self.kind,
            error_class: self.error_class,
        }
    }
}

/// Lists the workers.
#[expect(clippy::print_stdout, reason = "a command line answers on its output")]
pub async fn list_workers(workers: &Workers) -> anyhow::Result<()> {
    let pool = db::pool::connect(&workers.db)?;
    let mut conn = pool.get().await?;
    for worker in db::workers::list(&mut conn, None).await? {
        println!("{}", lines::worker(&worker));
    }
    Ok(())
}

/// Does what is asked, and says what was done.
#[expect(clippy::print_stdout, reason = "a command line answers on its output")]
pub async fn lend_a_hand(jobs: Jobs) -> anyhow::Result<()> {
    let pool = db::pool::connect(&jobs.db)?;
    let mut conn = pool.get().await?;
    for line in answer(&mut conn, jobs.action).await? {
        println!("{line}");
    }
    Ok(())
}

async fn answer(conn: &mut Connection, action: Action) -> anyhow::Result<Vec<String>> {
    Ok(match action {
        Action::List { .. } | Action::Show { .. } | Action::Summary { .. } => {
            look(conn, action).await?
        }
        Action::Dead { company } => {
            let letters = db::jobs::dead(conn, company).await?;
            letters.iter().map(lines::dead).collect()
        }
        Action::Retry {
            which,
            company,
            rate,
        } => {
            let Laid { jobs, .. } = db::jobs::retry(conn, &which.of(company), rate, ALL).await?;
            vec![format!("{jobs} jobs wait again")]
        }
        Action::Discard { which, company } => {
            let Laid { jobs, .. } = db::jobs::discard(conn, &which.of(company), ALL).await?;
            vec![format!("{jobs} jobs given up")]
        }
        _ => govern(conn, action).await?,
    })
}

async fn look(conn: &mut Connection, action: Action) -> anyhow::Result<Vec<String>> {
    Ok(match action {
        Action::List {
            state,
            kind,
            error_class,
            subject,
            company,
            limit,
        } => {
            let filter = Filter {
                company_id: company,
                state,
                kind,
                error_class,
                subject_id: subject.map(|id| id.0),
                before: None,
            };
            let page = db::jobs::list(conn, &filter, limit.try_into()?).await?;
            page.rows.iter().map(lines::job).collect()
        }
        Action::Show { id } => match db::jobs::find(conn, id, None).await? {
            Some(job) => vec![serde_json::to_string_pretty(&job)?],
            None => anyhow::bail!("there is no job {id}"),
        },
        Action::Summary { company } => {
            let kinds = db::jobs::summary(conn, company).await?;
            kinds.iter().map(lines::kind).collect()
        }
        _ => Vec::new(),
    })
}

async fn govern(conn: &mut Connection, action: Action) -> anyhow::Result<Vec<String>> {
    let said = match action {
        Action::Pauses => {
            let pauses = db::jobs::pauses(conn, None).await?;
            return Ok(pauses.iter().map(lines::pause).collect());
        }
        Action::Pause {
            kind,
            company: None,
            note,
        } => {
            db::jobs::pause(conn, kind, note.as_ref()).await?;
            format!("{kind} is paused")
        }
        Action::Pause {
            kind,
            company: Some(company),
            note,
        } => {
            db::jobs::pause_for(conn, company, kind, None, note.as_ref()).await?;
            format!("{kind} is paused for {company}")
        }
        Action::Resume {
            kind,
            company: None,
        } => {
            db::jobs::resume(conn, kind).await?;
            format!("{kind} is handed out again")
        }
        Action::Resume {
            kind,
            company: Some(company),
        } => {
            db::jobs::resume_for(conn, company, kind).await?;
            format!("{kind} is handed out again for {company}")
        }
        Action::PauseKey { id, note } => {
            let key = db::provider_keys::pause(conn, id, None, None, note.as_ref()).await?;
            let key = key.ok_or_else(|| anyhow::anyhow!("there is no key {id}"))?;
            format!("the key \"{}\" is paused", key.label)
        }
        Action::ResumeKey { id } => {
            let key = db::provider_keys::resume(conn, id, None).await?;
            let key = key.ok_or_else(|| anyhow::anyhow!("there is no key {id}"))?;
            format!("calls are made with the key \"{}\" again", key.label)
        }
        _ => return Ok(Vec::new()),
    };
    Ok(vec![said])
}
