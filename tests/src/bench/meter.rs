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

/// The processes of the trees under these.
fn trees(roots: &[u32]) -> HashMap<u32, Stat> {
    let mut all = all();
    let under = |mut pid: u32| {
        while pid > 1 && !roots.contains(&pid) {
            pid = all.get(&pid).map_or(0, |stat| stat.parent);
        }
        roots.contains(&pid)
    };
    let inside: Vec<u32> = all.keys().copied().filter(|pid| under(*pid)).collect();
    all.retain(|pid, _| inside.contains(pid));
    all
}

#[expect(clippy::cast_precision_loss, reason = "far below 2^52")]
fn seconds(ticks: u64) -> f64 {
    ticks as f64 / TICKS_PER_SECOND
}

/// CPU seconds that the trees under these processes have taken since they began.
pub fn cpu_seconds(roots: &[u32]) -> f64 {
    seconds(trees(roots).values().map(|stat| stat.ticks).sum())
}

/// CPU seconds of this process alone, without those of its children.
pub fn own_cpu_seconds() -> f64 {
    stat(std::process::id()).map_or(f64::NAN, |stat| seconds(stat.own))
}

/// CPU seconds of the children of this process that it has waited for, with those of theirs.
pub fn ended_cpu_seconds() -> f64 {
    stat(std::process::id()).map_or(f64::NAN, |stat| seconds(stat.ticks - stat.own))
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

/// Resident memory now of the whole tree under a process, in MiB.
pub fn tree_mib(root: u32) -> f64 {
    let of_all = trees(&[root]).into_keys().map(resident_mib);
    of_all.filter(|mib| mib.is_finite()).sum()
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
