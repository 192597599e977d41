//! What the product's processes have taken, by part.

use serde_json::{Value, json};

/// CPU seconds by part of the product; the provider is nobody's merit or fault.
#[derive(Debug, Clone, Copy, Default)]
pub struct Cpu {
    /// The API server.
    pub api: f64,
    /// Workers and their extractions.
    pub worker: f64,
    /// Postgres with all its processes.
    pub postgres: f64,
    /// Redis.
    pub redis: f64,
    /// The fake provider, not part of the product.
    pub provider: f64,
}

impl Cpu {
    /// All of the product's.
    pub fn product(&self) -> f64 {
        self.api + self.worker + self.postgres + self.redis
    }

    /// What was taken since `earlier`.
    #[must_use]
    pub fn since(&self, earlier: &Self) -> Self {
        Self {
            api: self.api - earlier.api,
            worker: self.worker - earlier.worker,
            postgres: self.postgres - earlier.postgres,
            redis: self.redis - earlier.redis,
            provider: self.provider - earlier.provider,
        }
    }

    /// By part, a thousandth share of `things` each.
    pub fn per_thousand(&self, things: f64) -> Value {
        let each = |seconds: f64| (seconds / things * 1e6).round() / 1e3;
        json!({ "api": each(self.api), "worker": each(self.worker), "postgres": each(self.postgres),
                "redis": each(self.redis), "provider": each(self.provider) })
    }
}
