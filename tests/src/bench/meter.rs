//! What processes have taken, read from `/proc`: user and system time of whole process trees, and
//! resident memory. A child that ended counts with the parent that waited for it, so short-lived
//! children (an extraction, a Postgres backend) are not lost.

use std::{collections::HashMap, fs};

use anyhow::Context;

/// What `/proc/<pid>/stat` counts time in; fixed by Linux for programs of every machine.
const TICKS_PER_SECOND: f64 = 100.0;

struct Stat {
    parent: u32,
    /// Its time alone.
    own: u64,
    /// The same with that of its children that ended.
    ticks: u64,
}

fn stat(pid: u32) -> Option<Stat> {
    let line = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The program's name may hold anything, so counting starts behind its last bracket.
    let fields: Vec<&str> = line.rsplit_once(") ")?.1.split(' ').collect();
    let number = |place: usize| fields.get(place)?.parse::<u64>().ok();
    let own = number(11)? + number(12)?;
    Some(Stat {
        parent: u32::try_from(number(1)?).ok()?,
        own,
        ticks: own + number(13)? + number(14)?,
    })
}

fn all() -> HashMap<u32, Stat> {
    fs::read_dir("/proc")
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
        .filter_map(|pid| Some((pid, stat(pid)?)))
        .collect()
}

/// CPU seconds that the trees under these processes have taken since they began.
pub fn cpu_seconds(roots: &[u32]) -> f64 {
    let all = all();
    let under = |mut pid: u32| {
        while pid > 1 && !roots.contains(&pid) {
            pid = all.get(&pid).map_or(0, |stat| stat.parent);
        }
        roots.contains(&pid)
    };
    let ticks: u64 = all
        .iter()
        .filter(|(pid, _)| under(**pid))
        .map(|(_, stat)| stat.ticks)
        .sum();
    #[expect(clippy::cast_precision_loss, reason = "far below 2^52")]
    let seconds = ticks as f64 / TICKS_PER_SECOND;
    seconds
}

/// CPU seconds of this process alone, without those of its children.
#[expect(clippy::cast_precision_loss, reason = "far below 2^52")]
pub fn own_cpu_seconds() -> f64 {
    stat(std::process::id()).map_or(f64::NAN, |stat| stat.own as f64 / TICKS_PER_SECOND)
}

/// The parent of a process.
pub fn parent(pid: u32) -> anyhow::Result<u32> {
    Ok(stat(pid)
        .context("the server's processes are not on this machine: their CPU time cannot be read")?
        .parent)
}

/// Resident memory of one process now, in MiB.
pub fn resident_mib(pid: u32) -> f64 {
    status_mib(pid, "VmRSS:")
}

/// The most memory one process ever held, in MiB.
pub fn peak_mib(pid: u32) -> f64 {
    status_mib(pid, "VmHWM:")
}

fn status_mib(pid: u32, name: &str) -> f64 {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix(name));
    let kib: Option<f64> =
        line.and_then(|line| line.trim().strip_suffix(" kB")?.trim().parse().ok());
    kib.unwrap_or(f64::NAN) / 1024.0
}

/// How busy the machine is besides us: the load average of the last minute.
pub fn load() -> String {
    let load = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    load.split(' ').next().unwrap_or_default().to_owned()
}
