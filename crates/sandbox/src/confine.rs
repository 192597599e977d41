//! What the child gives up for good: memory, files, the network, other processes, as far as the machine can.

use std::{io, os::fd::RawFd};

use rlimit::Resource;

use crate::{config::Limits, usage};

/// What the child needs besides the memory of a call: frames, and the engine's own.
const BASE_BYTES: u64 = 64 << 20;

/// Takes away what calls do not need.
pub(crate) fn confine(limits: Limits) -> io::Result<()> {
    close_everything_else()?;
    if let Some(size) = address_space() {
        // A result is copied on its way out, while the call's memory is still there.
        limit(Resource::AS, size + BASE_BYTES + 2 * limits.memory_bytes())?;
    }
    limit(Resource::CORE, 0)?;
    limit(Resource::FSIZE, 0)?;
    // Neither processes nor threads, and in the end no file beyond the three that are open.
    limit(Resource::NPROC, 0)?;
    leave_everything_outside()?;
    limit(Resource::NOFILE, 3)
}

/// Allows as much processor time as the next call may take, and then some: the kernel counts whole seconds. This ends
/// what the engine does not interrupt.
pub(crate) fn allow_time(limits: Limits) -> io::Result<()> {
    if !Resource::CPU.is_supported() {
        return Ok(());
    }
    let (_, hard) = Resource::CPU.get()?;
    let until = usage::processor_time() + limits.cpu();
    Resource::CPU.set((until.as_secs() + 2).min(hard), hard)
}

/// Closes what was inherited beside the three standard streams: whoever started the parent may have left files open.
fn close_everything_else() -> io::Result<()> {
    let open: Vec<RawFd> = std::fs::read_dir("/dev/fd")?
        .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok())
        .filter(|number| *number > 2)
        .collect();
    for number in open {
        // The directory itself was among them and is closed by now.
        let _ = nix::unistd::close(number);
    }
    Ok(())
}

/// Lowers a limit for good.
fn limit(resource: Resource, most: u64) -> io::Result<()> {
    if !resource.is_supported() {
        return Ok(());
    }
    let (_, hard) = resource.get()?;
    let most = most.min(hard);
    resource.set(most, most)
}

/// The address space that this process has so far, where the system tells it.
fn address_space() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let size = status
        .lines()
        .find_map(|line| line.strip_prefix("VmSize:"))?;
    let kib: u64 = size.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kib << 10)
}

/// Leaves nothing of the file system, no TCP, and no signal or abstract socket that leads outside. Kernels without
/// Landlock do less, and say nothing about it: the limits above hold anyway.
#[cfg(target_os = "linux")]
fn leave_everything_outside() -> io::Result<()> {
    use landlock::{ABI, Access, AccessFs, AccessNet, Ruleset, RulesetAttr, RulesetCreated, Scope};

    Ruleset::default()
        .handle_access(AccessFs::from_all(ABI::V5))
        .and_then(|rules| rules.handle_access(AccessNet::from_all(ABI::V5)))
        .and_then(|rules| rules.scope(Scope::from_all(ABI::V6)))
        .and_then(Ruleset::create)
        .and_then(RulesetCreated::restrict_self)
        .map(drop)
        .map_err(io::Error::other)
}

/// Other systems know no Landlock.
#[cfg(not(target_os = "linux"))]
fn leave_everything_outside() -> io::Result<()> {
    Ok(())
}
