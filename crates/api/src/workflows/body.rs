//! A workflow as it is sent: to be kept, or to be performed at once.

use std::collections::BTreeMap;

use db::workflows::WorkflowChanges;
use deserr::Deserr;
use domain::{
    has_nul,
    users::Visibility,
    workflows::{Description, Task, Tasks, WorkflowName, faults::faults},
};
use serde_json::Value;
use utoipa::ToSchema;

use crate::{
    error::{ApiError, ApiResult, Code, FieldFault},
    extract::{Faults, Member},
};

/// A workflow to be created, or the members of one to be changed. To create one, `name` and `tasks`
/// are needed. A member that is left out stays as it is.
#[derive(Debug, Clone, Deserr, ToSchema)]
#[deserr(error = Faults, rename_all = camelCase)]
#[schema(rename_all = "camelCase")]
pub struct WorkflowBody {
    /// What it is called, 1 to 200 characters.
    #[schema(value_type = Option<String>, min_length = 1, max_length = 200)]
    #[deserr(default)]
    name: Option<WorkflowName>,
    /// What it is for, at most 2000 characters.
    #[schema(value_type = Option<String>, max_length = 2000)]
    #[deserr(default)]
    description: Option<Description>,
    /// Its tasks, 1 to 50.
    #[schema(min_items = 1, max_items = 50)]
    #[deserr(default)]
    tasks: Option<Vec<Task>>,
    /// The state of a canvas, kept as it is. Tasks in it count if there are no others.
    #[schema(value_type = Option<Value>)]
    #[deserr(default)]
    graph_data: Member<Value>,
    /// The same under the name that some browsers use.
    #[schema(value_type = Option<Value>, rename = "graph_data")]
    #[deserr(default, rename = "graph_data")]
    also_graph_data: Member<Value>,
    /// Who besides you may see it; nobody, unless said otherwise.
    #[schema(value_type = Option<Visibility>)]
    #[deserr(default)]
    visibility: Option<Visibility>,
}

impl WorkflowBody {
    /// The members to be changed, without a fault.
    pub fn changes(self) -> ApiResult<WorkflowChanges> {
        let graph_data = match self.graph_data {
            Member::Absent => self.also_graph_data,
            given => given,
        };
        if let Member::Given(value) = &graph_data
            && has_nul(value)
        {
            return Err(ApiError::invalid(
                "graphData",
                "must not contain the NUL character",
            ));
        }
        let tasks = match (self.tasks, &graph_data) {
            (None, Member::Given(canvas)) => tasks_of(canvas)?,
            (tasks, _) => tasks,
        };
        Ok(WorkflowChanges {
            name: self.name,
            description: self.description,
            tasks: tasks.map(checked).transpose()?.map(Tasks),
            graph_data: graph_data.or_remove(),
            visibility: self.visibility,
        })
    }
}

/// The tasks that a canvas holds, if it holds any.
fn tasks_of(canvas: &Value) -> ApiResult<Option<Vec<Task>>> {
    let Some(tasks @ Value::Array(_)) = canvas.get("tasks") else {
        return Ok(None);
    };
    let read: Result<Vec<Task>, Faults> = deserr::deserialize(tasks.clone());
    read.map(Some).map_err(|faults| {
        let found = faults.into_list().into_iter().map(|fault| FieldFault {
            field: format!("graphData.tasks{}", fault.field.trim_start_matches("body")),
            ..fault
        });
        ApiError::faults(Code::Invalid, found.collect())
    })
}

/// These tasks, if nothing is wrong with them.
pub fn checked(tasks: Vec<Task>) -> ApiResult<Vec<Task>> {
    let found = faults(&tasks);
    if found.is_empty() {
        return Ok(tasks);
    }
    let found = found
        .into_iter()
        .map(|(field, message)| FieldFault { field, message });
    Err(ApiError::faults(Code::Invalid, found.collect()))
}

/// A workflow to be performed as it is sent.
#[derive(Debug, Deserr, ToSchema)]
#[deserr(error = Faults, rename_all = camelCase)]
#[schema(rename_all = "camelCase")]
pub struct SentWorkflow {
    /// The workflow of yours that it is a state of, if it is one.
    #[deserr(default)]
    pub id: Option<String>,
    /// What it is called.
    #[schema(value_type = Option<String>, max_length = 200)]
    #[deserr(default)]
    pub name: Option<WorkflowName>,
    /// Its tasks, 1 to 50.
    #[schema(min_items = 1, max_items = 50)]
    pub tasks: Vec<Task>,
}

/// A workflow to be performed, and on what.
#[derive(Debug, Deserr, ToSchema)]
#[deserr(error = Faults, rename_all = camelCase)]
#[schema(rename_all = "camelCase")]
pub struct ExecuteSentBody {
    /// The workflow.
    pub workflow: SentWorkflow,
    /// What its tasks find as `userInput`, such as `text`, `image` and `file`.
    #[schema(value_type = Option<Object>)]
    #[deserr(default)]
    pub user_input: Option<BTreeMap<String, Value>>,
}

/// On what a workflow is to be performed.
#[derive(Debug, Default, Deserr, ToSchema)]
#[deserr(error = Faults, rename_all = camelCase)]
#[schema(rename_all = "camelCase")]
pub struct ExecuteBody {
    /// What its tasks find as `userInput`, such as `text`, `image` and `file`.
    #[schema(value_type = Option<Object>)]
    #[deserr(default)]
    pub user_input: Option<BTreeMap<String, Value>>,
}

/// What was given, as it is kept.
pub fn input(given: Option<BTreeMap<String, Value>>) -> ApiResult<Value> {
    let input = given.unwrap_or_default().into_iter().collect::<Value>();
    if has_nul(&input) {
        return Err(ApiError::invalid(
            "userInput",
            "must not contain the NUL character",
        ));
    }
    Ok(input)
}
