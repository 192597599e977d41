//! `prompt-architect run`: starts a run, follows it to its end, shows what it came to, and judges.
//!
//! What would spoil the verdict is looked for before anything costs money.

mod body;
mod export;
mod follow;
mod interrupts;
mod report;
mod verdict;

use std::process::ExitCode;

use serde_json::{Value, json};

use crate::{
    arguments::{Connection, Run},
    failure::{Failure, NOT_GOOD_ENOUGH},
    server::Server,
};
use interrupts::Interrupts;
use verdict::Verdict;

/// Makes a run and says whether it is good enough.
pub async fn run(connection: &Connection, wanted: &Run) -> Result<ExitCode, Failure> {
    let server = Server::new(connection)?;
    let mut interrupts = Interrupts::listen()?;
    let body = tokio::select! {
        body = prepare(&server, wanted) => body?,
        () = interrupts.next() => return Err(Failure::Undecided("Nothing was started.".into())),
    };
    // Not to be interrupted: a run that was started is to be followed, or called off.
    let started = server.post("/api/runs", &body).await?;
    let id = started["id"].as_str().unwrap_or_default().to_owned();
    eprintln!("run {id}: {} cells", started["cellCount"]);
    let run = tokio::select! {
        ended = follow::to_the_end(&server, &id) => ended?,
        () = interrupts.next() => return Err(call_off(&server, &id).await),
    };
    let comparison = match &wanted.demands.baseline {
        Some(baseline) => Some(compare(&server, baseline, &id).await?),
        None => None,
    };
    let verdict = Verdict::of(&run, &wanted.demands, comparison.as_ref());
    show(wanted, &run, comparison.as_ref(), &verdict);
    export::write(&server, &id, &wanted.output).await?;
    Ok(match verdict? {
        Verdict::Passed => ExitCode::SUCCESS,
        Verdict::NotGoodEnough(_) => ExitCode::from(NOT_GOOD_ENOUGH),
    })
}

/// Checks what can be checked beforehand, uploads the dataset, and says what is to be started.
async fn prepare(server: &Server, wanted: &Run) -> Result<Value, Failure> {
    let checks = body::checks(wanted)?;
    let is_graded = wanted.grader.is_some() || !checks.is_empty();
    if wanted.demands.fail_under.is_some() && !is_graded {
        let sentence = "--fail-under needs something that grades: --grader, --check or --checks.";
        return Err(Failure::Undecided(sentence.into()));
    }
    if let Some(baseline) = &wanted.demands.baseline {
        server
            .get(&format!("/api/runs/{baseline}"))
            .await
            .map_err(|failure| match failure {
                Failure::Refused { status: 404, .. } => {
                    Failure::Undecided(format!("There is no run {baseline} to compare with."))
                }
                other => other,
            })?;
    }
    let dataset = body::dataset(server, wanted).await?;
    Ok(body::of(wanted, dataset.as_deref(), &checks))
}

/// Calls the run off, since nobody waits for it any more.
async fn call_off(server: &Server, id: &str) -> Failure {
    eprintln!("Calling the run off …");
    match server
        .post(&format!("/api/runs/{id}/cancel"), &Value::Null)
        .await
    {
        Ok(_) => Failure::Undecided(format!("Run {id} was called off.")),
        Err(failure) => Failure::Undecided(format!("Run {id} could not be called off. {failure}")),
    }
}

async fn compare(server: &Server, baseline: &str, id: &str) -> Result<Value, Failure> {
    let path = format!("/api/runs/{baseline}/compare/{id}");
    server.get(&path).await.map_err(|failure| match failure {
        Failure::Refused { status: 404, .. } => Failure::Undecided(format!(
            "Run {id} cannot be compared with {baseline}: this server does not compare, or the baseline is gone."
        )),
        other => other,
    })
}

fn show(wanted: &Run, run: &Value, comparison: Option<&Value>, verdict: &Result<Verdict, Failure>) {
    let (passed, reasons) = match verdict {
        Ok(Verdict::Passed) => (json!(true), Vec::new()),
        Ok(Verdict::NotGoodEnough(reasons)) => (json!(false), reasons.clone()),
        Err(failure) => (json!(null), vec![failure.to_string()]),
    };
    if wanted.output.json {
        let all =
            json!({"run": run, "comparison": comparison, "passed": passed, "reasons": reasons});
        println!("{all:#}");
        return;
    }
    print!("{}", report::columns(run));
    if let Some(comparison) = comparison {
        print!("{}", report::comparison(comparison));
    }
    match verdict {
        Ok(Verdict::Passed) => println!("\npassed"),
        Ok(Verdict::NotGoodEnough(_)) => println!("\nnot good enough: {}", reasons.join("; ")),
        // Told by whoever ends the process.
        Err(_) => {}
    }
}
