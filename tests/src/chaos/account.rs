//! Gives an account of a run: what happened, what it cost, and whether everything is as it has to
//! be.

use std::time::Duration;

use anyhow::Context as _;
use rand::{SeedableRng, rngs::StdRng};

use super::{
    checks::{self, Check},
    corpus::Sample,
    fleet::Fleet,
    ingest::{Field, Signal},
    report::Report,
    storm::Storm,
    waste::{self, Fault},
};

/// How soon after a kill another worker is at the same jobs.
const RESUMED_WITHIN: Duration = Duration::from_secs(15);

impl Field {
    /// How soon others went on with what the last kill left.
    pub(super) fn tell_resumption(
        &self,
        report: &mut Report,
        orphans: &[String],
        resumed: Duration,
    ) {
        if self.options.signal == Signal::Kill {
            report.count("jobs orphaned by the last kill", orphans.len());
            report.figure("seconds until others were at them", resumed.as_secs_f64());
            report.checks.push(Check {
                what: format!("resumed within {RESUMED_WITHIN:?}"),
                found: format!("{resumed:?}"),
                holds: resumed <= RESUMED_WITHIN && !orphans.is_empty(),
            });
        }
    }

    /// What happened, what it cost, and whether everything is as it has to be.
    pub(super) async fn tell(
        &mut self,
        report: &mut Report,
        storm: &Storm,
        uploaded: &[(String, Sample)],
    ) -> anyhow::Result<()> {
        self.tell_faults(report, storm).await?;
        self.tell_waste(report, &storm.faults).await?;
        report.checks.extend(self.look.rows(uploaded.len()).await?);
        report
            .checks
            .push(checks::files(&mut self.look, &self.fleet.storage()).await?);
        report
            .checks
            .push(checks::messages(&self.services.redis_url).await?);
        let mut dice = StdRng::seed_from_u64(self.options.seed);
        report
            .checks
            .push(checks::search(&self.caller, &mut dice, uploaded).await?);
        Ok(())
    }

    async fn tell_faults(&mut self, report: &mut Report, storm: &Storm) -> anyhow::Result<()> {
        report.count("documents", self.options.documents);
        for (what, times) in storm.counts() {
            report.count(&format!("× {what}"), times);
        }
        report.count("workers that ended by themselves", storm.fallen);
        let lost = "SELECT coalesce(sum(attempts - 1), 0)::bigint AS number FROM jobs";
        let lost = usize::try_from(self.look.number(lost).await?)?;
        report.count("attempts lost", lost);
        report.count(
            "leases that expired",
            said(&self.fleet, "workers went silent")?,
        );
        report.count(
            "messages that were lost",
            said(&self.fleet, "messages were lost")?,
        );
        let tally = self.caller.tally();
        report.count("requests answered", tally.answered);
        report.count("connections refused", tally.refused);
        report.count(
            "requests that went wrong and were repeated",
            tally.failed.len(),
        );
        report
            .complaints
            .extend(tally.failed.iter().take(3).cloned());
        if self.options.signal == Signal::Term {
            report.figure(
                "seconds of the slowest orderly end",
                storm.slowest_end.as_secs_f64(),
            );
            let failed = i64::try_from(tally.failed.len())?;
            report
                .checks
                .push(Check::equal("requests that went wrong", failed, 0));
            report
                .checks
                .push(Check::equal("attempts lost", i64::try_from(lost)?, 0));
        }
        Ok(())
    }

    async fn tell_waste(&mut self, report: &mut Report, faults: &[Fault]) -> anyhow::Result<()> {
        let texts = self.look.texts().await?;
        let excuses = match self.options.signal {
            Signal::Kill => faults,
            Signal::Term => &[],
        };
        let waste = waste::measure(&self.provider.ledger(), excuses, &texts);
        report.count("passages with different texts", texts.len());
        report.count("embedding calls", waste.calls);
        report.count("texts embedded", waste.texts);
        report.count("different texts embedded", waste.distinct);
        report.count("calls in flight at the kills", waste.in_flight);
        report.count("texts embedded again", waste.repeated);
        for (what, calls) in &waste.in_vain {
            report.count(&format!("calls in vain because of a {what}"), *calls);
        }
        let none = |what, found| anyhow::Ok(Check::equal(what, i64::try_from(found)?, 0));
        let unexplained = "texts embedded again without a fault that explains it";
        report.checks.push(none(unexplained, waste.unexplained)?);
        report
            .checks
            .push(none("texts embedded that no document has", waste.strange)?);
        let embedded = i64::try_from(waste.distinct)?;
        let texts = i64::try_from(texts.len())?;
        report
            .checks
            .push(Check::equal("different texts embedded", embedded, texts));
        Ok(())
    }
}

/// Adds up the `jobs` of the log lines that say this.
fn said(fleet: &Fleet, words: &str) -> anyhow::Result<usize> {
    let mut sum = 0;
    for entry in fleet.logs().read_dir()? {
        let log = std::fs::read_to_string(entry?.path())?;
        for line in log.lines().filter(|line| line.contains(words)) {
            let line: serde_json::Value = serde_json::from_str(line).context("a log line")?;
            sum += line["jobs"].as_u64().unwrap_or_default();
        }
    }
    Ok(usize::try_from(sum)?)
}
