//! Background work: what Postgres decides about jobs, how attempts end, and what reaches workers
//! through Redis.

#[path = "jobs/bulk.rs"]
mod bulk;
#[path = "jobs/claim.rs"]
mod claim;
#[path = "jobs/command_line.rs"]
mod command_line;
#[path = "jobs/console.rs"]
mod console;
#[path = "jobs/delivery.rs"]
mod delivery;
#[path = "jobs/dispatch.rs"]
mod dispatch;
#[path = "jobs/enqueue.rs"]
mod enqueue;
#[path = "jobs/hands.rs"]
mod hands;
#[path = "jobs/keys.rs"]
mod keys;
#[path = "jobs/lease.rs"]
mod lease;
#[path = "jobs/outcomes.rs"]
mod outcomes;
#[path = "jobs/pauses.rs"]
mod pauses;
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
#[path = "jobs/workers.rs"]
mod workers;
