//! Workflows: tasks that hand each other values. What a workflow is stands in [`task`], what holds
//! for it in [`faults`], how values get into texts in [`template`], and what happens next while it
//! is performed in [`engine`].

pub mod draft;
pub mod engine;
pub mod faults;
pub mod graph;
pub mod scope;
pub mod task;
pub mod template;
mod version;
mod words;

pub use engine::Engine;
pub use graph::Graph;
pub use scope::Scope;
pub use task::{AgentConfig, Retry, Task, TaskKind, Tasks};
pub use version::{Linked, Pinned};

use crate::{
    codec::trimmed,
    jobs::{Job, JobKind},
    prompts::whole,
};

id!(
    /// A workflow.
    WorkflowId,
    /// What a workflow said when it was first performed so.
    WorkflowVersionId,
    /// One performance of a workflow.
    ExecutionId,
);

/// The most tasks of a workflow.
pub const MOST_TASKS: usize = 50;

checked_text!(
    /// What a workflow is called, 1 to 200 characters.
    WorkflowName,
    |text| trimmed(text, 1, 200)
);

checked_text!(
    /// What a workflow or a task is for, at most 2000 characters.
    Description,
    |text| whole(text, 2000)
);

text_enum!(
    /// Where an execution stands.
    ExecutionStatus {
        /// Waits for a worker.
        Pending = "pending",
        /// A worker has it.
        Running = "running",
        /// Every task brought its result.
        Completed = "completed",
        /// A task failed, or it could not be worked on.
        Failed = "failed",
        /// A person stopped it.
        Cancelled = "cancelled",
    }
);

impl ExecutionStatus {
    /// Whether nothing more happens unless somebody takes it up again.
    pub const fn is_over(self) -> bool {
        matches!(self, Self::Completed | Self::Failed | Self::Cancelled)
    }
}

text_enum!(
    /// Where a task of an execution stands.
    TaskStatus {
        /// Waits for the tasks it depends on, or for its turn.
        Pending = "PENDING",
        /// It is being performed.
        Running = "RUNNING",
        /// Its result stands.
        Completed = "COMPLETED",
        /// It brought no result.
        Failed = "FAILED",
        /// Not performed, since a task it depends on brought no result.
        Skipped = "SKIPPED",
    }
);

/// Performs the tasks of an execution until each has its end.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct ExecuteWorkflow {
    /// Which execution.
    pub execution_id: ExecutionId,
}

impl Job for ExecuteWorkflow {
    const KIND: JobKind = JobKind::WorkflowsExecute;
}
