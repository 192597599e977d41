//! The parent's side of the wall, for those who have a function to run.

use std::{path::PathBuf, sync::Arc};

use serde_json::{Map, Value};
use uuid::Uuid;

use crate::{
    CallError, MAX_BODY_BYTES, MAX_INPUTS_BYTES, SandboxConfig,
    config::Limits,
    frame::Question,
    pool::Pool,
    process::{Process, Recipe, Silence},
};

/// Runs functions, each in a child process. Clones share their children; when the last is dropped, these are killed.
#[derive(Debug, Clone)]
pub struct Sandbox {
    pool: Arc<Pool>,
}

/// A function and what it is to work on.
#[derive(Debug, Clone, Copy)]
pub struct Call<'a> {
    /// Whose function it is: tenants never share a process.
    pub tenant: Uuid,
    /// The body of a strict function with one parameter, `inputs`.
    pub body: &'a str,
    /// The inputs; the function gets a copy and may change it.
    pub inputs: &'a Map<String, Value>,
    /// Where `Math.random` starts: the same seed gives the same numbers.
    pub seed: u64,
}

impl Sandbox {
    /// Runs functions by `program arguments…`, whose `main` is to call [`child_main`](crate::child_main). Nothing is
    /// started yet.
    pub fn new(program: PathBuf, arguments: &[&str], config: &SandboxConfig) -> Self {
        let recipe = Recipe {
            program,
            arguments: arguments.iter().map(|&argument| argument.into()).collect(),
            limits: Limits {
                memory_mib: config.function_memory_mib,
                millis: config.function_millis,
            },
        };
        let pool = Pool::new(recipe, config.function_processes);
        Self {
            pool: Arc::new(pool),
        }
    }

    /// Calls a function and returns what it returned. `undefined` is `null`; a promise is waited for; the rest is as
    /// `JSON.stringify` has it, with lone surrogates replaced. Numbers are those of JavaScript: `1.0` comes back as
    /// `1`, and integers beyond 2⁵³ lose their last digits.
    ///
    /// However the function ends, this returns: after the wait for its turn, the limits of [`SandboxConfig`] hold. When
    /// it is dropped before, the child is killed.
    pub async fn call(&self, call: &Call<'_>) -> Result<Value, CallError> {
        let inputs = serde_json::to_string(call.inputs).map_err(std::io::Error::from)?;
        if inputs.len() > MAX_INPUTS_BYTES {
            return Err(CallError::InputsTooLarge);
        }
        let json = self
            .ask(call.tenant, call.body, call.seed, Some(&inputs))
            .await?;
        serde_json::from_slice(&json).map_err(|_| CallError::NotJson {
            message: "it is nested deeper than 127 levels".into(),
        })
    }

    /// Whether a body can be read; it is compiled and not run.
    pub async fn check(&self, tenant: Uuid, body: &str) -> Result<(), CallError> {
        self.ask(tenant, body, 0, None).await.map(drop)
    }

    async fn ask(
        &self,
        tenant: Uuid,
        body: &str,
        seed: u64,
        inputs: Option<&str>,
    ) -> Result<Vec<u8>, CallError> {
        if body.len() > MAX_BODY_BYTES {
            return Err(CallError::BodyTooLarge);
        }
        let question = Question { seed, body, inputs }.to_frame();
        let _turn = self.pool.turn().await;
        if let Some(mut process) = self.pool.used(tenant) {
            match process.ask(&question).await {
                // It died while it rested. Nothing has begun, so nothing happens twice.
                Err(Silence::NotAsked(_)) => drop(process),
                answer => return self.settle(process, answer),
            }
        }
        let mut process = self.pool.fresh(tenant).await?;
        let answer = process.ask(&question).await;
        self.settle(process, answer)
    }

    /// Keeps the child if it can be trusted further.
    fn settle(
        &self,
        process: Process,
        answer: Result<Vec<u8>, Silence>,
    ) -> Result<Vec<u8>, CallError> {
        let answer = answer.map_err(|silence| match silence {
            Silence::NotAsked(error) => error.into(),
            Silence::Ended(error) => error,
        });
        if !answer.as_ref().is_err_and(CallError::ends_the_child) {
            self.pool.rest(process);
        }
        answer
    }
}
