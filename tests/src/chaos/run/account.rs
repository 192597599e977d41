//! Gives an account of a run: what happened, what it cost, and whether everything is as it has to
//! be.

use std::time::Duration;

use domain::models::Usd;
use serde_json::Value;

use super::{Field, books, plan};
use crate::chaos::{
    checks::{self, Check},
    fleet::Fleet,
    ingest::Signal,
    report::Report,
    storm::{FLUSH, Storm},
    waste::{self, Fault},
};

/// How soon after a kill another worker is at the same lanes.
const RESUMED_WITHIN: Duration = Duration::from_secs(15);

impl Field {
    /// How soon others went on with what the last kill left.
    pub(super) fn tell_resumption(
        &self,
        report: &mut Report,
        orphans: &[String],
        resumed: Duration,
    ) {
        if self.options.signal() == Signal::Term {
            return;
        }
        report.count("lanes orphaned by the last kill", orphans.len());
        report.figure("seconds until others were at them", resumed.as_secs_f64());
        report.checks.push(Check {
            what: format!("resumed within {RESUMED_WITHIN:?}"),
            found: format!("{resumed:?}"),
            holds: resumed <= RESUMED_WITHIN && !orphans.is_empty(),
        });
    }

    /// What happened, what it cost, and whether everything is as it has to be.
    pub(super) async fn tell(&mut self, report: &mut Report, storm: &Storm) -> anyhow::Result<()> {
        self.tell_faults(report, storm).await?;
        self.tell_calls(report, storm).await?;
        let cells = i64::try_from(self.options.cells())?;
        let found = self.look.count("cells").await?;
        report.checks.push(Check::equal("cells", found, cells));
        for (what, from) in books::NONE {
            let found = self.look.count(from).await?;
            report.checks.push(Check::equal(*what, found, 0));
        }
        let overdrawn = Check::equal("moments beyond the budget", self.overdrawn, 0);
        report.checks.push(overdrawn);
        report.checks.push(self.shown().await?);
        let messages = checks::messages(&self.services.redis_url).await?;
        report.checks.push(messages);
        Ok(())
    }

    async fn tell_faults(&mut self, report: &mut Report, storm: &Storm) -> anyhow::Result<()> {
        report.count("cells", self.options.cells());
        for (what, times) in storm.counts() {
            report.count(&format!("× {what}"), times);
        }
        report.count("workers that ended by themselves", storm.fallen);
        let lost = "SELECT coalesce(sum(attempts - 1), 0)::bigint AS number FROM jobs
                    WHERE kind = 'runs.lane'";
        let lost = self.look.number(lost).await?;
        report.count("attempts at lanes lost", usize::try_from(lost)?);
        let given_up = given_up(&self.fleet)?;
        report.count(
            "attempts at lanes given up by living workers",
            given_up.len(),
        );
        report.complaints.extend(given_up.into_iter().take(3));
        let tally = self.caller.tally();
        report.count("requests answered", tally.answered);
        report.count("connections refused", tally.refused);
        let failed = tally.failed.len();
        report.count("requests that went wrong and were repeated", failed);
        report
            .complaints
            .extend(tally.failed.iter().take(3).cloned());
        if self.options.signal() == Signal::Term {
            let slowest = storm.slowest_end.as_secs_f64();
            report.figure("seconds of the slowest orderly end", slowest);
            let failed = i64::try_from(failed)?;
            for (what, found) in [
                ("requests that went wrong", failed),
                ("attempts at lanes lost", lost),
            ] {
                report.checks.push(Check::equal(what, found, 0));
            }
        }
        Ok(())
    }

    /// Compares the calls that the provider saw with the cells, and with the attempts.
    async fn tell_calls(&mut self, report: &mut Report, storm: &Storm) -> anyhow::Result<()> {
        let excuses = match self.options.signal() {
            Signal::Kill => excuses(&storm.faults),
            Signal::Term => Vec::new(),
        };
        let questions = plan::questions(&self.options);
        let waste = waste::measure(&self.provider.ledger(), &excuses, &questions);
        let lost = self.look.count("attempts WHERE state = 'lost'").await?;
        let beyond = i64::try_from(waste.calls)? - i64::try_from(self.options.cells())?;
        report.count("calls", waste.calls);
        report.count(
            "calls that the provider had under way at the kills",
            waste.in_flight,
        );
        report.count("attempts under way at the faults", usize::try_from(lost)?);
        let ends = "SELECT format('%s attempts ended as %s', count(*), error_code) AS word
                    FROM attempts WHERE error_code IS NOT NULL GROUP BY error_code";
        report.complaints.extend(self.look.words(ends).await?);
        for (what, calls) in &waste.in_vain {
            report.count(&format!("calls in vain because of a {what}"), *calls);
        }
        report.checks.push(Check {
            what: "calls beyond the cells, at most those under way at the faults".into(),
            found: format!("{beyond} of {lost}"),
            holds: (0..=lost).contains(&beyond),
        });
        let cells = i64::try_from(self.options.cells())?;
        for (what, found, wanted) in [
            ("different questions asked", waste.distinct, cells),
            ("calls in vain without a fault", waste.unexplained, 0),
            ("questions that are of no cell", waste.strange, 0),
        ] {
            let found = i64::try_from(found)?;
            report.checks.push(Check::equal(what, found, wanted));
        }
        if self.options.signal() == Signal::Term {
            report.checks.push(Check::equal("attempts lost", lost, 0));
        }
        Ok(())
    }

    /// What the API shows of the run agrees with the tables.
    async fn shown(&mut self) -> anyhow::Result<Check> {
        let run = self.caller.get(&format!("/api/runs/{}", self.id)).await?;
        let money =
            "SELECT spent::text AS word FROM runs UNION ALL SELECT unresolved::text FROM runs";
        let stored = self.look.words(money).await?;
        let shown = [&run["summary"]["totalCost"], &run["summary"]["unresolved"]];
        let usd = |text: &str| text.parse::<Usd>().ok();
        let same_money = stored.iter().zip(shown).all(|(stored, shown)| {
            usd(stored).is_some() && usd(stored) == shown.as_str().and_then(usd)
        });
        let last = self
            .look
            .number("SELECT last_event AS number FROM runs")
            .await?;
        let columns = run["summary"]["columns"].as_array();
        let completed = |column: &Value| column["counts"]["completed"] == self.options.rows;
        let holds = same_money
            && run["status"] == "completed"
            && run["openCells"] == 0
            && run["lastEventId"] == last
            && columns.is_some_and(|columns| columns.iter().all(completed));
        Ok(Check {
            what: "the run as the API shows it".into(),
            found: format!(
                "{}, {} USD, {} unresolved",
                run["status"], shown[0], shown[1]
            ),
            holds,
        })
    }
}

/// The faults that may cut calls, the surest explanations first. An empty Redis cuts none.
pub(in crate::chaos) fn excuses(faults: &[Fault]) -> Vec<Fault> {
    let (kills, stores): (Vec<_>, Vec<_>) = faults
        .iter()
        .filter(|fault| fault.what != FLUSH)
        .cloned()
        .partition(|fault| fault.key.is_some());
    [kills, stores].concat()
}

/// What workers wrote of jobs that they began and neither did nor handed back.
pub(in crate::chaos) fn given_up(fleet: &Fleet) -> anyhow::Result<Vec<String>> {
    let mut lines = Vec::new();
    for entry in fleet.logs().read_dir()? {
        let log = std::fs::read_to_string(entry?.path())?;
        let given_up = |line: &&str| {
            line.contains("attempt failed")
                || line.contains("attempt could not be recorded")
                || line.contains("\"job.outcome\":\"lease_lost\"")
        };
        lines.extend(log.lines().filter(given_up).map(str::to_owned));
    }
    Ok(lines)
}
