//! One child as its parent sees it: started, asked one thing after another, and read as what its end says.

use std::{
    io,
    os::unix::process::ExitStatusExt,
    path::PathBuf,
    process::{ExitStatus, Stdio},
    time::Duration,
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt, BufReader},
    process::{Child, ChildStdin, ChildStdout, Command},
    time::{Instant, timeout},
};
use uuid::Uuid;

use crate::{CallError, config::Limits, frame, frame::Answer};

/// How long a child may take to start on a machine that is very busy.
const START: Duration = Duration::from_secs(20);

/// What a child gets beyond its own time limit to say that it was met.
const GRACE: Duration = Duration::from_millis(500);

/// Signals as Linux and its kin number them.
const SIGABRT: i32 = 6;
const SIGKILL: i32 = 9;
const SIGTERM: i32 = 15;
const SIGXCPU: i32 = 24;

/// How children are started.
#[derive(Debug)]
pub(crate) struct Recipe {
    /// The program whose `main` calls [`child_main`](crate::child_main) …
    pub program: PathBuf,
    /// … when called with these arguments, followed by those of [`FunctionsCommand`](crate::FunctionsCommand).
    pub arguments: Vec<String>,
    /// What a call may take.
    pub limits: Limits,
}

/// A child; killed when dropped.
#[derive(Debug)]
pub(crate) struct Process {
    child: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
    limits: Limits,
    /// Whose calls it serves, the first and all others.
    pub tenant: Uuid,
    /// How many it has served.
    pub served: u32,
    /// Since when it has nothing to do.
    pub idle_since: Instant,
}

/// Why a child did not answer.
#[derive(Debug)]
pub(crate) enum Silence {
    /// It was gone before it had the whole question.
    NotAsked(io::Error),
    /// It was asked, and this is what its end says.
    Ended(CallError),
}

impl Process {
    /// Starts a child and waits until it has given up what it does not need.
    pub async fn start(recipe: &Recipe, tenant: Uuid) -> io::Result<Self> {
        let mut child = recipe.command().spawn()?;
        let (Some(input), Some(output)) = (child.stdin.take(), child.stdout.take()) else {
            return Err(io::Error::other("a child without pipes"));
        };
        let mut process = Self {
            child,
            input,
            output: BufReader::new(output),
            limits: recipe.limits,
            tenant,
            served: 0,
            idle_since: Instant::now(),
        };
        match timeout(START, process.listen()).await {
            Ok(Ok(Answer::Ready)) => Ok(process),
            Ok(Ok(Answer::Broken(complaint))) => Err(io::Error::other(complaint)),
            Ok(Ok(_)) => Err(io::Error::other("the child spoke before it was asked")),
            Ok(Err(_)) => Err(ended(process.child.wait().await?)),
            Err(_) => Err(io::ErrorKind::TimedOut.into()),
        }
    }

    /// Whether it still runs, as far as one can know.
    pub fn is_alive(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(None))
    }

    /// Asks, and returns the result as JSON within the time limit and some grace, whatever the child does.
    pub async fn ask(&mut self, question: &[u8]) -> Result<Vec<u8>, Silence> {
        self.served += 1;
        let limit = self.limits.wall() + GRACE;
        match timeout(limit, self.exchange(question)).await {
            Ok(answer) => answer,
            Err(_) => Err(Silence::Ended(self.took_too_long())),
        }
    }

    async fn exchange(&mut self, question: &[u8]) -> Result<Vec<u8>, Silence> {
        self.input
            .write_all(question)
            .await
            .map_err(Silence::NotAsked)?;
        match self.listen().await {
            Ok(Answer::Value(json)) => Ok(json),
            Ok(Answer::Error(error)) => Err(Silence::Ended(error)),
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
                Err(Silence::Ended(self.verdict().await))
            }
            // Whatever says something else is no longer the program that was started.
            Ok(Answer::Ready | Answer::Broken(_)) | Err(_) => {
                Err(Silence::Ended(CallError::Crashed))
            }
        }
    }

    async fn listen(&mut self) -> io::Result<Answer> {
        let mut head = [0; 4];
        self.output.read_exact(&mut head).await?;
        let mut frame = vec![0; frame::announced(head)?];
        self.output.read_exact(&mut frame).await?;
        Answer::parse(frame)
    }

    /// What the end of the child says about the call.
    async fn verdict(&mut self) -> CallError {
        let status = match self.child.wait().await {
            Ok(status) => status,
            Err(error) => return error.into(),
        };
        tracing::debug!(%status, "a function's process broke off");
        match status.signal() {
            Some(SIGXCPU) => self.took_too_long(),
            // Memory that was refused to what cannot do without.
            Some(SIGABRT) => CallError::Memory {
                mib: self.limits.memory_mib,
            },
            // Somebody stopped the child, or the machine is out of memory: not the function's fault.
            Some(SIGKILL | SIGTERM) => ended(status).into(),
            _ => CallError::Crashed,
        }
    }

    fn took_too_long(&self) -> CallError {
        CallError::Time {
            millis: self.limits.millis,
        }
    }
}

impl Recipe {
    /// The child's command line. Nothing of our environment; a time zone, so that dates do not depend on the machine.
    fn command(&self) -> Command {
        let mut command = Command::new(&self.program);
        command
            .args(&self.arguments)
            .args(["--memory-mib", &self.limits.memory_mib.to_string()])
            .args(["--millis", &self.limits.millis.to_string()])
            .env_clear()
            .env("TZ", "UTC0")
            .current_dir("/")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .kill_on_drop(true);
        command
    }
}

fn ended(status: ExitStatus) -> io::Error {
    io::Error::other(format!("the function's process ended with {status}"))
}
