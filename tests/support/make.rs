//! Bodies of requests that nobody else uses: every address is new.

use serde_json::{Value, json};

use super::app::PASSWORD;

/// An address that nobody has.
pub fn email() -> String {
    format!("ada-{:016x}@example.com", rand::random::<u64>())
}

/// Somebody to be added to a company, with the password of tests.
pub fn member(role: &str) -> Value {
    json!({ "email": email(), "name": "Grace Hopper", "role": role, "password": PASSWORD })
}

/// A registration of a new company.
pub fn registration() -> Value {
    json!({
        "email": email(),
        "password": PASSWORD,
        "name": "Ada Lovelace",
        "companyName": "Analytical Engines",
    })
}
