//! Following a run: a bar on a terminal, a line now and then elsewhere.

use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};
use serde_json::Value;
use tokio::time::{Instant, sleep};

use crate::{failure::Failure, server::Server};

/// The first pause between two looks; they grow to the last.
const FIRST_PAUSE: Duration = Duration::from_millis(100);

/// The longest pause between two looks.
const LAST_PAUSE: Duration = Duration::from_secs(1);

/// How often a line is written where there is no terminal, if nothing else calls for one.
const LINE: Duration = Duration::from_secs(30);

/// Shows how far the run is until it has ended, and gives it as it then stands.
pub async fn to_the_end(server: &Server, id: &str) -> Result<Value, Failure> {
    let path = format!("/api/runs/{id}");
    let (mut shown, mut pause) = (Progress::new(), FIRST_PAUSE);
    loop {
        let run = server.get(&path).await?;
        shown.show(&run);
        if !matches!(run["status"].as_str(), Some("queued" | "running")) {
            shown.bar.finish_and_clear();
            return Ok(run);
        }
        sleep(pause).await;
        pause = (pause * 2).min(LAST_PAUSE);
    }
}

struct Progress {
    bar: ProgressBar,
    /// Tenths of the cells that lines told of, and when.
    told: (u64, Instant),
}

impl Progress {
    fn new() -> Self {
        let style = ProgressStyle::with_template("{bar:40} {pos}/{len} {elapsed} {msg}");
        let bar = ProgressBar::new(0);
        if let Ok(style) = style {
            bar.set_style(style);
        }
        Self {
            bar,
            told: (0, Instant::now()),
        }
    }

    fn show(&mut self, run: &Value) {
        let number = |member: &str| run[member].as_u64().unwrap_or_default();
        let (all, open) = (number("cellCount"), number("openCells"));
        let done = all.saturating_sub(open);
        let cost = run["summary"]["totalCost"].as_str().unwrap_or("0");
        if !self.bar.is_hidden() {
            self.bar.set_length(all);
            self.bar.set_position(done);
            self.bar.set_message(format!("{cost} US dollars"));
            return;
        }
        let tenths = (done * 10).checked_div(all).unwrap_or_default();
        if tenths > self.told.0 || self.told.1.elapsed() > LINE {
            self.told = (tenths, Instant::now());
            eprintln!("{done} of {all} cells, {cost} US dollars");
        }
    }
}
