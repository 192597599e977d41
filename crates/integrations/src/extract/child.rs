//! The child's side of the wall: gives up what it does not need, reads one file, answers on
//! standard output, and ends. Whatever a parser does in here ends with the process.

use std::{
    io::{self, Write},
    panic,
    path::{Path, PathBuf},
    process::ExitCode,
    thread,
};

use domain::documents::{DocumentType, ExtractFault, Extracted, FileName};
use rlimit::Resource;

use super::{ExtractError, broken, extract, sniff};

/// What the parsers' descent may take; more is a broken file.
const STACK_BYTES: usize = 64 << 20;

/// The exit code of a machine at fault: `EX_IOERR`.
pub const FAILED: u8 = 74;

/// What a file yields, as it crosses the wall.
pub type Answer = Result<Extracted, ExtractFault>;

/// What the child is told.
#[derive(Debug, Clone, clap::Args)]
pub struct ExtractCommand {
    /// The file to read.
    pub path: PathBuf,
    /// What it is, as a media type; found out when not given.
    #[arg(long = "type")]
    pub kind: Option<DocumentType>,
    /// The most memory it may take, in bytes.
    #[arg(long, default_value_t = 1 << 30)]
    pub memory_bytes: u64,
    /// The most time it may compute, in seconds.
    #[arg(long, default_value_t = 120)]
    pub cpu_seconds: u64,
}

/// Extracts one file in this process and answers as JSON on standard output: what the file yields
/// or why it yields nothing. To be called before anything else is started, since the limits it
/// sets hold for the whole process. The exit code says only whether there was an answer.
pub fn child_main(command: &ExtractCommand) -> ExitCode {
    confined(command, read)
}

/// As [`child_main`], with a reader of the caller's: how tests try what a parser may do.
pub fn confined(
    command: &ExtractCommand,
    read: impl FnOnce(&ExtractCommand) -> Result<Extracted, ExtractError> + Send + 'static,
) -> ExitCode {
    report_only_places_of_panics();
    let answer = confine(command).and_then(|()| answer(command.clone(), read));
    match answer.and_then(|answer| write(&answer)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let _ = writeln!(io::stderr(), "{error}");
            ExitCode::from(FAILED)
        }
    }
}

/// A panic's message may quote the document, which is nobody's business.
fn report_only_places_of_panics() {
    panic::set_hook(Box::new(|panic| {
        if let Some(place) = panic.location() {
            let _ = writeln!(io::stderr(), "panic at {place}");
        }
    }));
}

/// Takes away memory, time, files and the network, as far as the machine can.
fn confine(command: &ExtractCommand) -> io::Result<()> {
    limit(Resource::AS, command.memory_bytes)?;
    limit(Resource::CPU, command.cpu_seconds)?;
    limit(Resource::CORE, 0)?;
    limit(Resource::NOFILE, 16)?;
    // A person who tries this by hand may send the answer to a file.
    if !std::fs::metadata("/proc/self/fd/1").is_ok_and(|output| output.is_file()) {
        limit(Resource::FSIZE, 0)?;
    }
    confine_to_file(&command.path)
}

/// Lowers a limit, and leaves one second more of processor time so that the signal that says why
/// comes first.
fn limit(resource: Resource, most: u64) -> io::Result<()> {
    if !resource.is_supported() {
        return Ok(());
    }
    let (_, hard) = resource.get()?;
    let grace = u64::from(resource == Resource::CPU);
    resource.set(most.min(hard), most.saturating_add(grace).min(hard))
}

/// Leaves nothing of the file system but the file, and no TCP. Kernels without Landlock do less,
/// and say nothing about it: the limits above hold anyway.
#[cfg(target_os = "linux")]
fn confine_to_file(path: &Path) -> io::Result<()> {
    use landlock::{
        ABI, Access, AccessFs, AccessNet, PathBeneath, PathFd, Ruleset, RulesetAttr,
        RulesetCreatedAttr,
    };

    let file = PathFd::new(path).map_err(io::Error::other)?;
    Ruleset::default()
        .handle_access(AccessFs::from_all(ABI::V5))
        .and_then(|rules| rules.handle_access(AccessNet::from_all(ABI::V5)))
        .and_then(Ruleset::create)
        .and_then(|rules| rules.add_rule(PathBeneath::new(file, AccessFs::ReadFile)))
        .and_then(landlock::RulesetCreated::restrict_self)
        .map(drop)
        .map_err(io::Error::other)
}

/// Other systems know no Landlock.
#[cfg(not(target_os = "linux"))]
fn confine_to_file(_path: &Path) -> io::Result<()> {
    Ok(())
}

/// Reads on a thread with room to descend; a panic becomes an answer.
fn answer(
    command: ExtractCommand,
    read: impl FnOnce(&ExtractCommand) -> Result<Extracted, ExtractError> + Send + 'static,
) -> io::Result<Answer> {
    let thread = thread::Builder::new()
        .stack_size(STACK_BYTES)
        .spawn(move || read(&command))?;
    match thread.join() {
        Ok(Ok(extracted)) => Ok(Ok(extracted)),
        Ok(Err(ExtractError::Fault(fault))) => Ok(Err(fault)),
        Ok(Err(ExtractError::Failed(error))) => Err(error),
        Err(_panic) => Ok(Err(broken("its structure cannot be followed"))),
    }
}

/// Finds out the type, if need be, and reads.
fn read(command: &ExtractCommand) -> Result<Extracted, ExtractError> {
    let kind = match command.kind {
        Some(kind) => kind,
        None => sniffed(&command.path)?,
    };
    extract(&command.path, kind)
}

/// The type of a file by its content and its name.
fn sniffed(path: &Path) -> io::Result<DocumentType> {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let name: FileName = name.parse().map_err(io::Error::other)?;
    sniff(path, &name)?.ok_or_else(|| io::Error::other("the file is of no supported type"))
}

/// Sends the answer.
fn write(answer: &Answer) -> io::Result<()> {
    let mut output = io::BufWriter::new(io::stdout().lock());
    serde_json::to_writer(&mut output, answer)?;
    output.flush()
}
