//! Gives an account of the listening: what it cost, and whether everybody heard the same.

use std::time::Duration;

use super::{Field, Heard, listener::Digest};
use crate::chaos::{checks::Check, fleet::Process, report::Report};

/// How often a server asks Postgres for the events of a run at most, each second.
const LOOKS: f64 = 40.0;

/// How many pages are read for somebody who comes back late: others lack the same ones.
const CATCHING_UP: f64 = 1.0;

/// The most MiB of a server.
const MEMORY: f64 = 200.0;

impl Field {
    /// What was heard, what it cost, and whether it is what happened.
    pub(super) async fn account(
        mut self,
        took: Duration,
        heard: &[Heard],
    ) -> anyhow::Result<Report> {
        let mut report = Report {
            name: "chaos-listeners",
            seed: self.options.seed,
            figures: Vec::new(),
            checks: Vec::new(),
            complaints: Vec::new(),
        };
        for server in self.servers() {
            self.part_with(Some(server));
        }
        let happened = self.happened().await?;
        self.tell_what_was_heard(&mut report, heard, &happened)?;
        report.figure(
            "seconds from the first listener to the last",
            took.as_secs_f64(),
        );
        self.tell_cost(&mut report, heard);
        self.tell_lags(&mut report);
        self.tell_reads(&mut report, took, heard, happened.len())
            .await?;
        let failed = self.look.count("runs WHERE status <> 'completed'").await?;
        report
            .checks
            .push(Check::equal("runs that are not completed", failed, 0));
        if self.options.keep {
            let logs = self.fleet.logs().display();
            report.complaints.push(format!("logs: {logs}"));
        }
        Ok(report)
    }

    /// The events as Postgres has them: number, kind and cell of each.
    async fn happened(&mut self) -> anyhow::Result<Vec<String>> {
        let events = "SELECT format('%s %s %s', number, kind, cell_id) AS word FROM run_events ORDER BY number";
        self.look.words(events).await
    }

    fn tell_what_was_heard(
        &self,
        report: &mut Report,
        heard: &[Heard],
        happened: &[String],
    ) -> anyhow::Result<()> {
        let mut digest = Digest::default();
        for (word, number) in happened.iter().zip(1..) {
            let mut parts = word.splitn(3, ' ');
            let mut part = || parts.next().unwrap_or_default();
            let (id, kind, cell) = (part(), part(), part());
            anyhow::ensure!(
                id.parse() == Ok(number),
                "event {id} has the place of {number}"
            );
            digest.add(number, kind, cell);
        }
        let (all, last) = (i64::try_from(heard.len())?, i64::try_from(happened.len())?);
        let many = |holds: &dyn Fn(&Heard) -> bool| {
            i64::try_from(heard.iter().filter(|heard| holds(heard)).count())
        };
        let in_order =
            many(&|heard| heard.odd.is_none() && heard.events == last && heard.seen == last)?;
        let the_same = many(&|heard| heard.digest.value() == digest.value())?;
        for (what, found) in [
            (
                "listeners that heard every event once and in order",
                in_order,
            ),
            ("listeners that heard what Postgres holds", the_same),
        ] {
            report.checks.push(Check::equal(what, found, all));
        }
        let odd = heard.iter().filter_map(|heard| heard.odd.clone());
        report.complaints.extend(odd.take(3));
        let sum = |of: &dyn Fn(&Heard) -> usize| heard.iter().map(of).sum::<usize>();
        report.count("cells", self.options.rows * 4);
        report.count("listeners, every other of them fickle", heard.len());
        report.count("events", happened.len());
        report.figure("deliveries", deliveries(heard));
        report.count(
            "connections taken up again",
            sum(&|heard| heard.connections - 1),
        );
        report.count(
            "connections that ended within a frame",
            sum(&|heard| heard.cut),
        );
        report.count(
            "connections that nobody accepted",
            sum(&|heard| heard.refused),
        );
        report.count(
            "listeners asked to come later",
            sum(&|heard| heard.turned_away),
        );
        Ok(())
    }

    fn tell_cost(&self, report: &mut Report, heard: &[Heard]) {
        let deliveries = deliveries(heard);
        report.figure("CPU seconds of the servers", self.cpu);
        report.figure(
            "CPU milliseconds of the servers for 1 000 deliveries",
            self.cpu / deliveries * 1e6,
        );
        for (server, peak) in self.peaks.iter().enumerate() {
            report.figure(&format!("peak MiB of server {}", server + 1), *peak);
        }
        let most = self.peaks.iter().copied().fold(0.0, f64::max);
        report.checks.push(Check {
            what: format!("the most MiB of a server is below {MEMORY}"),
            found: format!("{most:.0}"),
            holds: most < MEMORY,
        });
    }

    fn tell_lags(&self, report: &mut Report) {
        for (who, lags) in [
            ("steady", &self.steady),
            ("fickle, their absence included", &self.fickle),
        ] {
            for percent in [50, 95, 99] {
                let what = format!("milliseconds from event to arrival, p{percent}, {who}");
                report.figure(&what, f64::from(lags.within(percent)));
            }
        }
    }

    /// How often Postgres was asked for events: by a reader in each server, and by whoever came back
    /// too late for what it keeps.
    async fn tell_reads(
        &mut self,
        report: &mut Report,
        took: Duration,
        heard: &[Heard],
        events: usize,
    ) -> anyhow::Result<()> {
        self.end_everything().await?;
        let reads = "SELECT (idx_scan + seq_scan)::bigint AS number FROM pg_stat_user_tables
                     WHERE relname = 'run_events'";
        // One was ours.
        let reads = f64::from(i32::try_from(self.look.number(reads).await? - 1)?);
        let events = f64::from(u32::try_from(events)?);
        let connections: usize = heard.iter().map(|heard| heard.connections).sum();
        let connections = f64::from(u32::try_from(connections)?);
        report.figure("reads of events in Postgres", reads);
        report.figure("the same for 1 000 events", reads / events * 1e3);
        let readers = 2.0 * (took.as_secs_f64() * LOOKS + events / 1e3);
        let most = readers + connections * CATCHING_UP;
        report.checks.push(Check {
            what: "reads of events, at most those of two readers and of latecomers".into(),
            found: format!("{reads} of {most:.0}"),
            holds: reads <= most,
        });
        Ok(())
    }

    /// Ends all processes, and waits until Postgres has counted what they did.
    async fn end_everything(&mut self) -> anyhow::Result<()> {
        for process in self.fleet.servers.iter_mut().chain(&mut self.fleet.workers) {
            Process::kill(process).await?;
        }
        let connected = "pg_stat_activity WHERE datname = current_database()
            AND backend_type = 'client backend' AND pid <> pg_backend_pid()";
        while self.look.count(connected).await? > 0 {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        Ok(())
    }
}

fn deliveries(heard: &[Heard]) -> f64 {
    let events: i64 = heard.iter().map(|heard| heard.events).sum();
    #[expect(clippy::cast_precision_loss, reason = "far below 2^52")]
    let events = events as f64;
    events
}
