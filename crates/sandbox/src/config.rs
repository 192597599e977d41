//! What functions may take, as the operator says it.

use std::time::Duration;

/// What functions may take.
#[derive(Debug, Clone, Copy, clap::Args)]
#[expect(
    clippy::struct_field_names,
    reason = "flags are named after their field, among those of the whole program"
)]
pub struct SandboxConfig {
    /// The most memory that one function may take, in MiB.
    #[arg(long, env = "FUNCTION_MEMORY_MIB", default_value_t = 64, value_parser = clap::value_parser!(u32).range(8..=2048))]
    pub function_memory_mib: u32,
    /// The most processor time that one function may take, in milliseconds. It ends after twice as much on the clock.
    #[arg(long, env = "FUNCTION_MILLIS", default_value_t = 2000, value_parser = clap::value_parser!(u32).range(50..=60_000))]
    pub function_millis: u32,
    /// Processes that run functions, at most: so many functions run at once.
    #[arg(long, env = "FUNCTION_PROCESSES", default_value_t = 4, value_parser = clap::value_parser!(u16).range(1..=64))]
    pub function_processes: u16,
}

/// What one call may take.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limits {
    /// Memory, in MiB.
    pub memory_mib: u32,
    /// Processor time, in milliseconds.
    pub millis: u32,
}

impl Limits {
    /// Memory, in bytes.
    pub fn memory_bytes(self) -> u64 {
        u64::from(self.memory_mib) << 20
    }

    /// Processor time.
    pub fn cpu(self) -> Duration {
        Duration::from_millis(self.millis.into())
    }

    /// Time on the clock: on a busy machine a process gets half a processor, and that is nobody's fault.
    pub fn wall(self) -> Duration {
        2 * self.cpu()
    }
}
