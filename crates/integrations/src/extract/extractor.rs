//! The parent's side of the wall: starts a child for each file, bounds what it may take, and
//! reads its end as what it says about the file.

use std::{
    io,
    os::unix::process::ExitStatusExt,
    path::{Path, PathBuf},
    process::{ExitStatus, Stdio},
    time::Duration,
};

use domain::documents::{DocumentType, ExtractFault, Extracted};
use tokio::{
    io::{AsyncRead, AsyncReadExt},
    process::{Child, Command},
};

use super::{ExtractError, broken, child::Answer};

/// The most bytes an answer may have: every character escaped or of three bytes, and to spare.
const MAX_ANSWER: u64 = 128 << 20;

/// The most bytes kept of what the child complains about.
const MAX_COMPLAINT: u64 = 4 << 10;

/// Signals as Linux and its kin number them.
const SIGABRT: i32 = 6;
const SIGKILL: i32 = 9;
const SIGTERM: i32 = 15;
const SIGXCPU: i32 = 24;

/// What one extraction may take.
#[derive(Debug, Clone, Copy, clap::Args)]
pub struct ExtractorConfig {
    /// The most memory the extraction of one document may take, in bytes.
    #[arg(long, env = "EXTRACT_MEMORY_BYTES", default_value_t = 1 << 30)]
    pub extract_memory_bytes: u64,
    /// The most time the extraction of one document may take, in seconds.
    #[arg(long, env = "EXTRACT_SECONDS", default_value_t = 120)]
    pub extract_seconds: u64,
}

/// Extracts each file in a process of its own.
#[derive(Debug, Clone)]
pub struct Extractor {
    /// The program whose `main` calls [`child_main`](super::child_main) …
    pub program: PathBuf,
    /// … when called with these arguments, followed by those of
    /// [`ExtractCommand`](super::ExtractCommand).
    pub args: Vec<String>,
    /// The most memory a child may take.
    pub memory_bytes: u64,
    /// How long a child may live.
    pub time_limit: Duration,
}

impl Extractor {
    /// Runs `program args…` for each file.
    pub fn new(program: PathBuf, args: &[&str], config: &ExtractorConfig) -> Self {
        Self {
            program,
            args: args.iter().map(|arg| (*arg).to_owned()).collect(),
            memory_bytes: config.extract_memory_bytes,
            time_limit: Duration::from_secs(config.extract_seconds),
        }
    }

    /// Extracts a file. Whatever happens to the child, this returns within the time limit; when it
    /// is dropped before, the child is killed.
    pub async fn run(&self, path: &Path, kind: DocumentType) -> Result<Extracted, ExtractError> {
        let mut child = self.command(path, kind).spawn()?;
        let finished = tokio::time::timeout(self.time_limit, finish(&mut child)).await;
        let Ok(end) = finished else {
            child.kill().await?;
            return Err(takes_too_long());
        };
        end?.verdict()
    }

    /// The child's command line: nothing of our environment, no input.
    fn command(&self, path: &Path, kind: DocumentType) -> Command {
        let mut command = Command::new(&self.program);
        command
            .args(&self.args)
            .args(["--type", kind.as_str()])
            .args(["--memory-bytes", &self.memory_bytes.to_string()])
            .args([
                "--cpu-seconds",
                &(self.time_limit.as_secs() + 1).to_string(),
            ])
            .arg("--")
            .arg(path)
            .env_clear()
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true);
        command
    }
}

/// How a child ended, and what it said before.
struct End {
    status: ExitStatus,
    answer: Vec<u8>,
    complaint: String,
}

/// Listens until the child ends; an answer without end is cut short, and the child with it.
async fn finish(child: &mut Child) -> io::Result<End> {
    let (answer, complaint) = tokio::try_join!(
        read(child.stdout.take(), MAX_ANSWER),
        read(child.stderr.take(), MAX_COMPLAINT),
    )?;
    let status = child.wait().await?;
    let complaint = String::from_utf8_lossy(&complaint).into_owned();
    Ok(End {
        status,
        answer,
        complaint,
    })
}

/// Reads all there is and keeps the first `most` bytes of it.
async fn read(from: Option<impl AsyncRead + Unpin>, most: u64) -> io::Result<Vec<u8>> {
    let mut kept = Vec::new();
    let Some(mut from) = from else {
        return Ok(kept);
    };
    (&mut from).take(most).read_to_end(&mut kept).await?;
    tokio::io::copy(&mut from, &mut tokio::io::sink()).await?;
    Ok(kept)
}

impl End {
    /// What the end says about the file.
    fn verdict(self) -> Result<Extracted, ExtractError> {
        if self.status.success() {
            return self.answered();
        }
        tracing::debug!(status = %self.status, complaint = self.complaint, "the extraction broke off");
        let fault = match self.status.signal() {
            Some(SIGXCPU) => return Err(takes_too_long()),
            Some(SIGABRT) if self.complaint.contains("memory allocation of") => {
                ExtractFault::TooLarge("reading it takes too much memory".into())
            }
            // Somebody stopped the child, or the machine is out of memory: not the file's fault.
            Some(SIGKILL | SIGTERM) | None => {
                return Err(
                    io::Error::other(format!("the child ended with {}", self.status)).into(),
                );
            }
            // An overflown stack, or worse.
            Some(_) => broken("its structure cannot be followed"),
        };
        Err(fault.into())
    }

    /// Reads the answer.
    fn answered(self) -> Result<Extracted, ExtractError> {
        if self.answer.len() as u64 >= MAX_ANSWER {
            return Err(super::draft::too_many_chars().into());
        }
        let answer: Answer = serde_json::from_slice(&self.answer).map_err(io::Error::other)?;
        Ok(answer?)
    }
}

/// The refusal of a file that keeps the parser busy.
fn takes_too_long() -> ExtractError {
    ExtractFault::TooLarge("reading it takes too long".into()).into()
}
