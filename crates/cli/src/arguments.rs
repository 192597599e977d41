//! What may be said on the command line.

use std::{path::PathBuf, time::Duration};

use clap::{Args, Parser, Subcommand, ValueEnum};
use secrecy::SecretString;
use serde_json::Value;

/// Prompt Architect from the command line.
///
/// Exit codes: 0 passed, 1 not good enough, 2 the run could not be started or finished, 3 the server
/// cannot be reached.
#[derive(Parser)]
#[command(name = "prompt-architect", version)]
pub struct Arguments {
    #[command(flatten)]
    pub connection: Connection,
    #[command(subcommand)]
    pub command: Command,
}

/// Which server, and as whom.
#[derive(Args)]
pub struct Connection {
    /// The address of the server, such as `https://prompts.example.com`.
    #[arg(
        long,
        global = true,
        env = "PROMPT_ARCHITECT_URL",
        default_value = "http://127.0.0.1:8080"
    )]
    pub server: String,
    /// An API key with the scope `run`. Better given by the environment: other users of a machine
    /// see arguments.
    #[arg(
        long,
        global = true,
        env = "PROMPT_ARCHITECT_KEY",
        hide_env_values = true,
        default_value = "",
        hide_default_value = true
    )]
    pub key: SecretString,
    /// For so many seconds a server that does not answer any more is asked again.
    #[arg(long, global = true, default_value = "60", value_parser = seconds)]
    pub patience: Duration,
}

#[derive(Subcommand)]
pub enum Command {
    /// Try a prompt on the rows of a dataset, wait for the end, and say whether it is good enough.
    Run(Box<Run>),
    /// List runs, newest first.
    Runs(Runs),
    /// Datasets.
    Datasets(Datasets),
}

#[derive(Args)]
pub struct Run {
    /// The prompt, as it reads now.
    #[arg(
        long,
        value_name = "ID",
        required_unless_present = "prompt_version",
        conflicts_with = "prompt_version"
    )]
    pub prompt: Option<String>,
    /// A version of a prompt.
    #[arg(long, value_name = "ID")]
    pub prompt_version: Option<String>,
    /// The rows: a dataset's id, or a file to upload (CSV, TSV, JSON, JSON Lines). The same file
    /// again is the same dataset.
    #[arg(long, value_name = "ID|FILE")]
    pub dataset: Option<String>,
    /// One to four models, by id, provider/name or name.
    #[arg(long, required = true, value_delimiter = ',')]
    pub models: Vec<String>,
    /// A JSON object that says how models are asked, such as {"temperature": 0, "seed": 7}.
    #[arg(long, value_name = "JSON", value_parser = json_object)]
    pub params: Option<Value>,
    /// A prompt that judges the outputs.
    #[arg(long, value_name = "ID")]
    pub grader: Option<String>,
    /// The model that does so.
    #[arg(long, value_name = "MODEL", requires = "grader")]
    pub grader_model: Option<String>,
    /// The column with the expected answer.
    #[arg(long, value_name = "NAME")]
    pub expected_column: Option<String>,
    /// A check of the outputs: `type` or `type:value`, such as `equals`, `contains:Paris` or
    /// `maxLatencyMs:2000`. May be given several times.
    #[arg(long = "check", value_name = "TYPE[:VALUE]")]
    pub check: Vec<String>,
    /// A JSON file with a list of checks, as the API takes them.
    #[arg(long, value_name = "FILE")]
    pub checks: Option<PathBuf>,
    /// How often each row is repeated.
    #[arg(long)]
    pub repeats: Option<u16>,
    /// Calls under way at once.
    #[arg(long)]
    pub concurrency: Option<u16>,
    /// The most the run may cost, in US dollars.
    #[arg(long, value_name = "USD")]
    pub budget: Option<String>,
    /// Use of kept responses.
    #[arg(long)]
    pub cache: Option<Cache>,
    /// The most rows.
    #[arg(long)]
    pub row_limit: Option<u32>,
    /// Call models whose price is not known.
    #[arg(long)]
    pub allow_unpriced: bool,
    /// Let the company see the run and the dataset that is uploaded for it.
    #[arg(long)]
    pub company_visible: bool,
    #[command(flatten)]
    pub demands: Demands,
    #[command(flatten)]
    pub output: Output,
}

/// What makes a run good enough.
#[derive(Args, Default)]
pub struct Demands {
    /// The share of answers that has to pass, from 0 to 1, in each column.
    #[arg(long, value_name = "SHARE", value_parser = share)]
    pub fail_under: Option<f64>,
    /// A run that this one must not be worse than.
    #[arg(long, value_name = "RUN")]
    pub baseline: Option<String>,
    /// So many cells may fail, that is get no answer at all, without spoiling the verdict.
    #[arg(long, value_name = "CELLS", default_value_t = 0)]
    pub max_failed: u64,
}

/// What is written, and where.
#[derive(Args)]
pub struct Output {
    /// Write a report as `JUnit` does into this file.
    #[arg(long, value_name = "FILE")]
    pub junit: Option<PathBuf>,
    /// Write all cells into this file, as CSV.
    #[arg(long, value_name = "FILE")]
    pub csv: Option<PathBuf>,
    /// Print the run, the comparison and the verdict as JSON instead of a table.
    #[arg(long)]
    pub json: bool,
}

/// Use of kept responses.
#[derive(Clone, Copy, ValueEnum)]
#[value(rename_all = "camelCase")]
pub enum Cache {
    /// A kept response takes the place of a call.
    Use,
    /// Every call is made, and its response kept.
    Refresh,
    /// Every call is made, and nothing kept.
    Off,
    /// No call is made; a cell without a kept response fails.
    ReplayOnly,
}

impl Cache {
    /// As the API calls it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Use => "use",
            Self::Refresh => "refresh",
            Self::Off => "off",
            Self::ReplayOnly => "replayOnly",
        }
    }
}

#[derive(Args)]
pub struct Runs {
    /// At most so many.
    #[arg(long, default_value_t = 20)]
    pub limit: u16,
}

#[derive(Args)]
pub struct Datasets {
    #[command(subcommand)]
    pub action: DatasetAction,
}

#[derive(Subcommand)]
pub enum DatasetAction {
    /// Make a dataset of a file and print its id. The same file again is the same dataset.
    Upload {
        /// CSV, TSV, JSON or JSON Lines.
        file: PathBuf,
        /// Let the company see it.
        #[arg(long)]
        company_visible: bool,
    },
}

fn seconds(text: &str) -> Result<Duration, String> {
    let seconds = text.parse().map_err(|_| "a whole number of seconds")?;
    Ok(Duration::from_secs(seconds))
}

fn share(text: &str) -> Result<f64, String> {
    let share = text
        .parse()
        .ok()
        .filter(|share| (0.0..=1.0).contains(share));
    share.ok_or_else(|| "a number from 0 to 1, such as 0.9".to_owned())
}

fn json_object(text: &str) -> Result<Value, String> {
    let value: Value = serde_json::from_str(text).map_err(|cause| cause.to_string())?;
    value
        .is_object()
        .then_some(value)
        .ok_or_else(|| "a JSON object".to_owned())
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn a_share_lies_between_nothing_and_all() {
        assert_eq!(share("0.9").map(f64::to_bits), Ok(0.9_f64.to_bits()));
        for wrong in ["90", "-0.1", "NaN", "most"] {
            assert!(share(wrong).is_err(), "{wrong}");
        }
    }
}
