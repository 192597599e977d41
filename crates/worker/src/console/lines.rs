//! What the command line prints: a line for each thing, words in columns.

use chrono::{DateTime, Utc};
use db::{
    jobs::{DeadLetters, JobRow, KindSummary, PauseRow, Scope},
    workers::{WorkerRow, WorkerState},
};

/// A job, with why it waits or failed.
pub fn job(job: &JobRow) -> String {
    let note = job
        .wait_reason
        .as_deref()
        .or(job.error_message.as_deref())
        .unwrap_or_default();
    let note = match job.wait_until {
        Some(until) => format!("{note}, until {}", time(until)),
        None => note.to_owned(),
    };
    let (id, kind, state) = (job.id, job.kind, job.state);
    format!(
        "{id}  {kind:<24} {state:<9} attempt {}/{}  {note}",
        job.attempts, job.max_attempts
    )
}

/// How a kind stands.
pub fn kind(summary: &KindSummary) -> String {
    let due = summary.oldest_due.map(time);
    let due = due.map_or_else(String::new, |due| format!("  due since {due}"));
    let paused = if summary.paused.is_some() {
        "  paused"
    } else {
        ""
    };
    format!(
        "{:<24} {:>8} queued {:>6} running {:>6} dead{due}{paused}",
        summary.kind, summary.queued, summary.running, summary.dead
    )
}

/// Dead letters that died of the same.
pub fn dead(letters: &DeadLetters) -> String {
    let class = letters.error_class.as_deref().unwrap_or("-");
    let newest = letters.newest.map_or_else(|| "-".into(), time);
    format!(
        "{:>6}  {:<24} {class:<28} last {newest}  {}  {}",
        letters.jobs,
        letters.kind,
        letters.example_id,
        letters.example.as_deref().unwrap_or_default()
    )
}

/// A pause.
pub fn pause(pause: &PauseRow) -> String {
    let whom = match (pause.scope, pause.company_id) {
        (Scope::Company, Some(company)) => company.to_string(),
        _ => "everybody".into(),
    };
    let by = pause.paused_by.as_ref();
    format!(
        "{:<24} {whom:<36} since {} by {}  {}",
        pause.kind,
        time(pause.paused_at),
        by.map_or("the operator", |by| by.name.as_str()),
        pause.note.as_deref().unwrap_or_default()
    )
}

/// A worker, and under it what it does.
pub fn worker(worker: &WorkerRow) -> String {
    let state = match worker.state {
        WorkerState::Up => "up",
        WorkerState::Draining => "draining",
        WorkerState::Silent => "silent",
    };
    let mut lines = vec![format!(
        "{}  {state:<8} {} {}  since {}  heard {}  {} jobs",
        worker.name,
        worker.host,
        worker.version,
        time(worker.started_at),
        time(worker.heard_at),
        worker.jobs.len()
    )];
    lines.extend(worker.jobs.iter().map(|job| {
        let since = job.since.map_or_else(|| "-".into(), time);
        format!("    {}  {:<24} since {since}", job.id, job.kind)
    }));
    lines.join("\n")
}

fn time(moment: DateTime<Utc>) -> String {
    moment.format("%Y-%m-%dT%H:%M:%SZ").to_string()
}
