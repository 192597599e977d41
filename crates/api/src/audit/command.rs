//! The command `audit verify`: follows the chain of one company or of all, and names where one breaks.

use clap::Subcommand;
use db::audit::Verdict;
use domain::{audit::Noted, users::CompanyId};
use secrecy::ExposeSecret;

/// What `audit` can be told.
#[derive(Debug, clap::Args)]
pub struct AuditCommand {
    /// What to do.
    #[command(subcommand)]
    pub action: AuditAction,
}

/// What can be done with the audit log from the command line.
#[derive(Debug, Subcommand)]
pub enum AuditAction {
    /// Check that no entry was changed, removed or moved, and print the heads, to be kept elsewhere.
    Verify(Verify),
}

/// Whose log is checked, and against what.
#[derive(Debug, clap::Args)]
pub struct Verify {
    /// This company's only. Zeros stand for what belongs to none.
    #[arg(long)]
    pub company: Option<CompanyId>,
    /// A head of that company's that was noted earlier: `number:hash`.
    #[arg(long, requires = "company")]
    pub head: Option<Noted>,
    /// Postgres.
    #[command(flatten)]
    pub db: db::pool::Config,
}

/// Checks, and answers a line for each company. An error, with the same lines, if a chain is broken.
pub async fn run(command: AuditCommand) -> anyhow::Result<Vec<String>> {
    let AuditAction::Verify(asked) = command.action;
    db::migrations::require_exact(asked.db.database_url.expose_secret()).await?;
    let pool = db::pool::connect(&asked.db)?;
    let mut conn = pool.get().await?;
    let companies = match asked.company {
        Some(company) => vec![company],
        None => db::audit::companies(&mut conn).await?,
    };
    let (mut lines, mut broken) = (Vec::new(), 0);
    for company in companies {
        let noted = asked.head.map(|noted| noted.0);
        let verdict = db::audit::verify(&mut conn, company, noted).await?;
        broken += usize::from(verdict.broken.is_some());
        lines.push(line(company, &verdict));
    }
    anyhow::ensure!(
        broken == 0,
        "{broken} audit logs are not what they were:\n{}",
        lines.join("\n")
    );
    Ok(lines)
}

fn line(company: CompanyId, verdict: &Verdict) -> String {
    let (entries, head) = (verdict.entries, &verdict.head);
    let state = match &verdict.broken {
        None => "intact".to_owned(),
        Some(broken) => format!("BROKEN at {broken}"),
    };
    let hash = hex::encode(&head.hash);
    format!(
        "{company}  {state}  {entries} entries  head {}:{hash}",
        head.number
    )
}
