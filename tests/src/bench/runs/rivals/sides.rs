//! Everybody on the same servers, ready to take turns.

use std::{
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

use serde_json::Value;
use tempfile::TempDir;

use super::{COLUMNS, Round, Turn, Work, bullmq::BullMq, promptfoo::Promptfoo};
use crate::bench::{
    float,
    runs::{
        Arguments,
        course::{self, Course, Setup},
        parts,
    },
};

/// For how long the stores are watched with nothing to do.
const REST: Duration = Duration::from_secs(5);

/// Ours and the rivals.
pub struct Sides {
    plain: BullMq,
    booked: BullMq,
    /// The rival that is started anew for each turn.
    pub promptfoo: Promptfoo,
    course: Course,
    dataset: Value,
    rows: usize,
    folder: TempDir,
    /// CPU seconds a second that the stores take for us while we have nothing to do.
    rest: f64,
}

impl Sides {
    /// Starts them. A first turn of ours and of `BullMQ` meets cold caches and is not counted.
    pub async fn start(
        arguments: &Arguments,
        packages: &Path,
        latency: Duration,
    ) -> anyhow::Result<Self> {
        let setup = Setup {
            latency,
            workers: 1,
            lanes: parts::LANES,
        };
        let course = Course::start(setup).await?;
        let folder = tempfile::tempdir()?;
        fs::write(rows_in(&folder), course::table(arguments.rows))?;
        let dataset = course.dataset(arguments.rows).await?;
        let rest = at_rest(&course).await;
        let mut sides = Self {
            plain: BullMq::start("plain", packages, &course).await?,
            booked: BullMq::start("booked", packages, &course).await?,
            promptfoo: Promptfoo::start(packages, &course.provider, latency).await?,
            course,
            dataset,
            rows: arguments.rows,
            folder,
            rest,
        };
        sides.servers(arguments.concurrency).await?;
        Ok(sides)
    }

    /// A turn of each, as many calls at once.
    pub async fn round(&mut self, at_once: u16) -> anyhow::Result<Round> {
        let [ours, plain, booked] = self.servers(at_once).await?;
        let promptfoo = self.promptfoo.turn(&self.work(at_once)).await?;
        Ok([ours, plain, booked, promptfoo])
    }

    /// A turn of each that waits for work.
    async fn servers(&mut self, at_once: u16) -> anyhow::Result<[Turn; 3]> {
        let ours = self.ours(at_once).await?;
        let work = self.work(at_once);
        let plain = self.plain.turn(&work, self.rest)?;
        let booked = self.booked.turn(&work, self.rest)?;
        Ok([ours, plain, booked])
    }

    fn work(&self, at_once: u16) -> Work {
        Work {
            rows: self.rows,
            file: rows_in(&self.folder),
            at_once,
        }
    }

    async fn ours(&self, at_once: u16) -> anyhow::Result<Turn> {
        let before = self.course.stand.cpu();
        let run = self
            .course
            .begin(&self.dataset, COLUMNS.len(), at_once)
            .await?;
        let wall = self.course.end(&run, |_| {}).await?;
        Ok(Turn {
            cells: float(run.cells),
            wall,
            cpu: self.course.stand.cpu().since(&before).product(),
            mib: self.course.peak().into_iter().sum(),
        })
    }
}

fn rows_in(folder: &TempDir) -> PathBuf {
    folder.path().join("rows.csv")
}

async fn at_rest(course: &Course) -> f64 {
    let before = course.stand.cpu();
    tokio::time::sleep(REST).await;
    let taken = course.stand.cpu().since(&before);
    (taken.postgres + taken.redis) / REST.as_secs_f64()
}
