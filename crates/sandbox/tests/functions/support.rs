//! What the tests of the sandbox share.

use std::path::PathBuf;

use sandbox::{Call, CallError, Sandbox, SandboxConfig};
use serde_json::{Map, Value, json};
use uuid::Uuid;

/// The settings of tests: those of production.
pub(crate) const CONFIG: SandboxConfig = SandboxConfig {
    function_memory_mib: 64,
    function_millis: 2000,
    function_processes: 4,
};

/// The settings for functions that are expected to run out of time: less of it, so that the test ends.
pub(crate) const HURRIED: SandboxConfig = SandboxConfig {
    function_millis: 300,
    ..CONFIG
};

/// A sandbox with these settings.
pub(crate) fn sandbox(config: &SandboxConfig) -> Sandbox {
    let program = PathBuf::from(env!("CARGO_BIN_EXE_sandboxed"));
    Sandbox::new(program, &[], config)
}

/// Somebody whose functions are run.
#[derive(Clone)]
pub(crate) struct Tenant {
    pub sandbox: Sandbox,
    pub id: Uuid,
}

impl Tenant {
    pub(crate) fn of(sandbox: &Sandbox) -> Self {
        Self {
            sandbox: sandbox.clone(),
            id: Uuid::new_v4(),
        }
    }

    /// Runs a function without inputs.
    pub(crate) async fn run(&self, body: &str) -> Result<Value, CallError> {
        self.apply(body, json!({})).await
    }

    /// Runs a function on inputs, an object.
    pub(crate) async fn apply(&self, body: &str, inputs: Value) -> Result<Value, CallError> {
        self.seeded(body, inputs, 7).await
    }

    pub(crate) async fn seeded(
        &self,
        body: &str,
        inputs: Value,
        seed: u64,
    ) -> Result<Value, CallError> {
        let inputs: Map<String, Value> = serde_json::from_value(inputs).expect("an object");
        let call = Call {
            tenant: self.id,
            body,
            inputs: &inputs,
            seed,
        };
        self.sandbox.call(&call).await
    }
}

/// Somebody with a sandbox of their own.
pub(crate) fn tenant() -> Tenant {
    Tenant::of(&sandbox(&CONFIG))
}

/// What a function returns that should return something.
pub(crate) async fn result(body: &str) -> Value {
    tenant().run(body).await.expect("a result")
}

/// How a function fails that should fail.
pub(crate) async fn failure(body: &str) -> CallError {
    tenant().run(body).await.expect_err("no result")
}

/// What an error is called where it crosses the wall.
pub(crate) fn kind(error: &CallError) -> String {
    let written = serde_json::to_value(error).unwrap_or_default();
    written["kind"].as_str().unwrap_or("failed").to_owned()
}
