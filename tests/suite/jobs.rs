//! Background work: what Postgres decides about jobs, how attempts end, and what reaches workers
//! through Redis.

#[path = "jobs/claim.rs"]
mod claim;
#[path = "jobs/command_line.rs"]
mod command_line;
#[path = "jobs/delivery.rs"]
mod delivery;
#[path = "jobs/dispatch.rs"]
mod dispatch;
#[path = "jobs/enqueue.rs"]
mod enqueue;
#[path = "jobs/hands.rs"]
mod hands;
#[path = "jobs/lease.rs"]
mod lease;
#[path = "jobs/outcomes.rs"]
mod outcomes;
#[path = "jobs/refresh.rs"]
mod refresh;
#[path = "jobs/replicas.rs"]
mod replicas;
#[path = "jobs/shutdown.rs"]
mod shutdown;
#[path = "jobs/support.rs"]
mod support;
#[path = "jobs/sweep.rs"]
mod sweep;
