//! Gives an account of the executions: what happened, what it cost, and whether everything is as it
//! has to be.

use std::time::Duration;

use super::{Field, books, plan};
use crate::chaos::{
    checks::{self, Check},
    ingest::Signal,
    report::Report,
    run::account::{excuses, given_up},
    storm::Storm,
    waste,
};

/// How soon after a kill another worker is at the same executions.
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
        report.count("executions orphaned by the last kill", orphans.len());
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
        let executions = i64::try_from(self.options.executions)?;
        let tasks = i64::try_from(self.options.tasks_in_all())?;
        for (what, wanted) in [("executions", executions), ("execution_tasks", tasks)] {
            let found = self.look.count(what).await?;
            report.checks.push(Check::equal(what, found, wanted));
        }
        for (what, from) in books::NONE {
            let found = self.look.count(from).await?;
            report.checks.push(Check::equal(*what, found, 0));
        }
        report.checks.push(self.shown().await?);
        let messages = checks::messages(&self.services.redis_url).await?;
        report.checks.push(messages);
        Ok(())
    }

    async fn tell_faults(&mut self, report: &mut Report, storm: &Storm) -> anyhow::Result<()> {
        report.count("tasks", self.options.tasks_in_all());
        for (what, times) in storm.counts() {
            report.count(&format!("× {what}"), times);
        }
        report.count("workers that ended by themselves", storm.fallen);
        let lost = "SELECT coalesce(sum(attempts - 1), 0)::bigint AS number FROM jobs
                    WHERE kind = 'workflows.execute'";
        let lost = self.look.number(lost).await?;
        report.count("attempts at executions lost", usize::try_from(lost)?);
        let again = "SELECT coalesce(sum(attempts - 1), 0)::bigint AS number FROM execution_tasks";
        let again = self.look.number(again).await?;
        let put_off = "execution_events WHERE kind = 'task_put_off'";
        let put_off = self.look.count(put_off).await?;
        report.count("tasks begun or tried again", usize::try_from(again)?);
        report.count(
            "tasks that were put off before anybody was asked",
            usize::try_from(put_off)?,
        );
        let given_up = given_up(&self.fleet)?;
        report.count(
            "attempts at executions given up by living workers",
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
            for (what, found) in [
                ("requests that went wrong", i64::try_from(failed)?),
                ("attempts at executions lost", lost),
                (
                    "tasks begun or tried again that were not put off",
                    again - put_off,
                ),
            ] {
                report.checks.push(Check::equal(what, found, 0));
            }
        }
        Ok(())
    }

    /// Compares the calls that the provider saw with the tasks, and with how often they were begun.
    async fn tell_calls(&mut self, report: &mut Report, storm: &Storm) -> anyhow::Result<()> {
        let excuses = match self.options.signal() {
            Signal::Kill => excuses(&storm.faults),
            Signal::Term => Vec::new(),
        };
        let questions = plan::questions(&self.works);
        let waste = waste::measure(&self.provider.ledger(), &excuses, &questions);
        let again = self.look.number(books::BEGUN_AGAIN).await?;
        let beyond = i64::try_from(waste.calls)? - i64::try_from(questions.len())?;
        report.count("tasks that ask a model", questions.len());
        report.count("calls", waste.calls);
        report.count(
            "calls that the provider had under way at the kills",
            waste.in_flight,
        );
        for (what, calls) in &waste.in_vain {
            report.count(&format!("calls in vain because of a {what}"), *calls);
        }
        report.checks.push(Check {
            what: "calls beyond the tasks, at most those begun again".into(),
            found: format!("{beyond} of {again}"),
            holds: (0..=again).contains(&beyond),
        });
        for (what, found, wanted) in [
            (
                "different questions asked",
                waste.distinct,
                i64::try_from(questions.len())?,
            ),
            ("calls in vain without a fault", waste.unexplained, 0),
            ("questions that are of no task", waste.strange, 0),
        ] {
            let found = i64::try_from(found)?;
            report.checks.push(Check::equal(what, found, wanted));
        }
        Ok(())
    }

    /// What the API shows of each execution is what its workflow comes to undisturbed.
    async fn shown(&self) -> anyhow::Result<Check> {
        let mut right = 0;
        for (id, work) in self.ids.iter().zip(&self.works) {
            let path = format!("/api/workflows/jobs/{id}/status");
            let job = self.caller.get(&path).await?;
            let store = job["returnValue"]["dataStore"].as_object();
            right += i64::from(job["status"] == "completed" && store == Some(&work.store));
        }
        let all = i64::try_from(self.works.len())?;
        let what = "executions that the API shows completed, with every value as it has to be";
        Ok(Check::equal(what, right, all))
    }
}
