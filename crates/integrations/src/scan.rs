//! Looking for malware in files, by a clamd. A file counts as clean only if clamd said so after it
//! had all of it; whatever else happens is a failure, and nothing is let through by one.

mod answer;
mod place;

use std::{
    io,
    path::Path,
    time::{Duration, Instant},
};

use tokio::{
    fs::File,
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    net::{TcpStream, UnixStream},
};

pub use answer::Verdict;
pub use place::{Place, Scanning};

/// Bytes sent at a time.
const PIECE: usize = 128 * 1024;

/// The longest answer that is read.
const LONGEST_ANSWER: usize = 1024;

/// How long a scanner may take to say that it is there.
const SIGN_OF_LIFE: Duration = Duration::from_secs(2);

/// Where files are scanned.
#[derive(Debug, Clone, clap::Args)]
#[group(skip)]
pub struct ScanConfig {
    /// The clamd that looks through files before they are stored: `tcp://host:port` or
    /// `unix:///path`; `off` stores them unscanned. Without any, they are refused.
    #[arg(long, env = "CLAMD_URL", default_value = "")]
    pub clamd_url: Scanning,
    /// Seconds that the scan of one file may take.
    #[arg(long, env = "CLAMD_TIMEOUT_SECONDS", default_value_t = 60, value_parser = clap::value_parser!(u64).range(1..=600))]
    pub clamd_timeout_seconds: u64,
}

impl ScanConfig {
    /// The scanner, if there is one.
    pub fn scanner(&self) -> Option<Clamd> {
        let patience = Duration::from_secs(self.clamd_timeout_seconds);
        match &self.clamd_url {
            Scanning::By(place) => Some(Clamd::new(place.clone(), patience)),
            Scanning::Unset | Scanning::Off => None,
        }
    }
}

/// Why a file could not be scanned.
#[derive(Debug, thiserror::Error)]
pub enum ScanError {
    /// It cannot be reached, or breaks off.
    #[error(transparent)]
    Broken(#[from] io::Error),
    /// It takes too long.
    #[error("no verdict in time")]
    Slow,
    /// It answers something else.
    #[error("an answer that is no verdict: {0:?}")]
    Answer(String),
}

/// A verdict, and by whom.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scan {
    /// What was found.
    pub verdict: Verdict,
    /// The scanner's version, with that of its signatures.
    pub scanner: String,
}

/// A clamd.
#[derive(Debug, Clone)]
pub struct Clamd {
    place: Place,
    patience: Duration,
}

impl Clamd {
    /// The one at this place, which gets so long for a file.
    pub fn new(place: Place, patience: Duration) -> Self {
        Self { place, patience }
    }

    /// Has a file looked through.
    pub async fn scan(&self, file: &Path) -> Result<Scan, ScanError> {
        let scanned = async {
            let (answer, scanner) = tokio::try_join!(self.submit(file), self.ask(b"zVERSION\0"))?;
            let scanner = answer::words(&scanner);
            if scanner.is_empty() || scanner.starts_with("UNKNOWN") {
                return Err(ScanError::Answer(scanner));
            }
            Ok(Scan {
                verdict: answer::verdict(&answer)?,
                scanner,
            })
        };
        let begun = Instant::now();
        let scan = tokio::time::timeout(self.patience, scanned).await;
        let scan = scan.unwrap_or(Err(ScanError::Slow));
        metrics::histogram!("scan_duration_seconds", "outcome" => outcome(&scan))
            .record(begun.elapsed());
        scan
    }

    /// Whether it is there.
    pub async fn answers(&self) -> bool {
        let answer = tokio::time::timeout(SIGN_OF_LIFE, self.ask(b"zPING\0")).await;
        matches!(answer, Ok(Ok(text)) if text == b"PONG")
    }

    async fn connect(&self) -> io::Result<Box<dyn Connection>> {
        Ok(match &self.place {
            Place::Tcp(host, port) => Box::new(TcpStream::connect((host.as_str(), *port)).await?),
            Place::Unix(path) => Box::new(UnixStream::connect(path).await?),
        })
    }

    async fn ask(&self, command: &[u8]) -> Result<Vec<u8>, ScanError> {
        let mut connection = self.connect().await?;
        connection.write_all(command).await?;
        Ok(answer(&mut connection).await?)
    }

    /// Sends a file and reads what is said of it. Both at once: clamd may answer in the middle of a
    /// file that is too large, and closes then.
    async fn submit(&self, file: &Path) -> Result<Vec<u8>, ScanError> {
        let (mut from, mut to) = tokio::io::split(self.connect().await?);
        let (mut sending, mut reading) = (
            std::pin::pin!(send(file, &mut to)),
            std::pin::pin!(answer(&mut from)),
        );
        tokio::select! {
            // In this order: an answer to all of it must not pass for an early one.
            biased;
            sent = &mut sending => match (sent, reading.await) {
                (Ok(()), answer) => Ok(answer?),
                // What it said before it closed is the reason.
                (Err(_), Ok(answer)) => early(answer),
                (Err(cause), Err(_)) => Err(cause.into()),
            },
            answer = &mut reading => early(answer?),
        }
    }
}

fn outcome(scan: &Result<Scan, ScanError>) -> &'static str {
    match scan.as_ref().map(|scan| &scan.verdict) {
        Ok(Verdict::Clean) => "clean",
        Ok(Verdict::Infected(_)) => "infected",
        Ok(Verdict::TooLarge(_)) => "too_large",
        Err(_) => "failed",
    }
}

/// An answer to a part of the file: a finding counts, a clean bill does not.
fn early(answer: Vec<u8>) -> Result<Vec<u8>, ScanError> {
    match answer::verdict(&answer)? {
        Verdict::Clean => Err(ScanError::Answer("clean, before it had all".to_owned())),
        Verdict::Infected(_) | Verdict::TooLarge(_) => Ok(answer),
    }
}

/// Either kind of connection.
trait Connection: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Connection for T {}

/// Sends a file in pieces, each behind its length; an empty one ends it.
async fn send(file: &Path, to: &mut (impl AsyncWrite + Unpin)) -> io::Result<()> {
    let mut source = File::open(file).await?;
    to.write_all(b"zINSTREAM\0").await?;
    let mut piece = vec![0; 4 + PIECE];
    loop {
        let read = source.read(&mut piece[4..]).await?;
        let length = u32::try_from(read).map_err(io::Error::other)?;
        piece[..4].copy_from_slice(&length.to_be_bytes());
        to.write_all(&piece[..4 + read]).await?;
        if read == 0 {
            return to.flush().await;
        }
    }
}

/// Reads an answer to the NUL behind it. One that has none was cut off, and is no answer.
async fn answer(from: &mut (impl AsyncRead + Unpin)) -> io::Result<Vec<u8>> {
    let mut answer = Vec::new();
    let mut piece = [0; LONGEST_ANSWER];
    loop {
        let read = from.read(&mut piece).await?;
        if let Some(end) = piece[..read].iter().position(|byte| *byte == 0) {
            answer.extend_from_slice(&piece[..end]);
            return Ok(answer);
        }
        answer.extend_from_slice(&piece[..read]);
        if read == 0 || answer.len() > LONGEST_ANSWER {
            let said = answer::words(&answer);
            return Err(io::Error::other(format!("no whole answer: {said:?}")));
        }
    }
}
