//! Watches over secrets in all tests. Whatever a client sends as a password, a key or a token, and every
//! token it is given, is remembered; no line of the log and, of what was sent, no answer may hold it. So
//! each test of the suite is a test of this as well.

use std::{
    collections::HashSet,
    io::{self, Write},
    sync::{LazyLock, Mutex, MutexGuard, Once, PoisonError},
};

use serde::Serialize;
use serde_json::Value;
use tracing_subscriber::EnvFilter;

use super::app;

/// Everything that our own crates say, and what production lets others say.
const FILTER: &str = "info,apalis=warn,actix_server=warn,api=debug,worker=debug,db=debug,queue=debug,\
    integrations=debug,gateway=debug,tasks=debug,domain=debug";

/// Where secrets are sent.
const PLACES: [&str; 7] = [
    "/api/auth",
    "/api/users",
    "/api/invitations",
    "/api/api-keys",
    "/api/provider-keys",
    "/api/trackers",
    "/api/gemini",
];

/// Members that hold one when it is sent, and still belong to nobody else when it is answered.
const SENT: [&str; 9] = [
    "password",
    "currentPassword",
    "newPassword",
    "key",
    "apiKey",
    "apiToken",
    "pat",
    "webhookSecret",
    "code",
];

/// Members that hold one when it is given.
const GIVEN: [&str; 5] = ["accessToken", "refreshToken", "token", "key", "inviteUrl"];

/// Shorter texts are no secrets but bad input.
const SHORTEST: usize = 8;

#[derive(Default)]
struct Watch {
    sent: HashSet<String>,
    given: HashSet<String>,
    leaks: Vec<String>,
}

static WATCH: LazyLock<Mutex<Watch>> = LazyLock::new(Mutex::default);

fn watch() -> MutexGuard<'static, Watch> {
    WATCH.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Has all that is logged in this process looked through from now on.
pub fn begin() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let subscriber = tracing_subscriber::fmt()
            .json()
            .flatten_event(true)
            .with_env_filter(EnvFilter::new(FILTER))
            .with_writer(|| Line)
            .finish();
        let known = [app::JWT_KEY, app::SEALING_KEY, app::PASSWORD];
        watch().given.extend(known.map(str::to_owned));
        // A test that looks at its log has one of its own.
        drop(tracing::subscriber::set_global_default(subscriber));
    });
}

/// Fails if anything was said that must not be.
pub fn check() {
    let leaks = std::mem::take(&mut watch().leaks);
    assert!(
        leaks.is_empty() || std::thread::panicking(),
        "secrets were told:\n{}",
        leaks.join("\n")
    );
}

/// Whether a text holds a secret that is known by now.
pub fn is_told_by(text: &str) -> bool {
    let watch = watch();
    let mut known = watch.sent.iter().chain(&watch.given);
    known.any(|secret| text.contains(secret.as_str()))
}

/// Remembers the secrets of what is sent to a path.
pub fn sent(path: &str, body: &impl Serialize) {
    if PLACES.iter().any(|place| path.starts_with(place)) {
        let body = serde_json::to_value(body).unwrap_or_default();
        collect(&body, &SENT, &mut watch().sent);
    }
}

/// Remembers the secrets of an answer, and looks for those that it must not hold.
pub fn answered(url: &str, body: &[u8]) {
    let text = String::from_utf8_lossy(body);
    let mut watch = watch();
    let told = watch
        .sent
        .iter()
        .find(|secret| text.contains(secret.as_str()));
    if let Some(told) = told {
        let leak = format!("{url} answers with {told}: {text}");
        watch.leaks.push(leak);
    }
    if PLACES.iter().any(|place| url.contains(place))
        && let Ok(body) = serde_json::from_slice(body)
    {
        collect(&body, &GIVEN, &mut watch.given);
    }
}

fn collect(value: &Value, names: &[&str], into: &mut HashSet<String>) {
    match value {
        Value::Object(members) => {
            for (name, member) in members {
                match member {
                    Value::String(text) if names.contains(&name.as_str()) => {
                        if text.len() >= SHORTEST {
                            into.insert(text.clone());
                        }
                    }
                    other => collect(other, names, into),
                }
            }
        }
        Value::Array(items) => items.iter().for_each(|item| collect(item, names, into)),
        _ => {}
    }
}

struct Line;

impl Write for Line {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let line = String::from_utf8_lossy(bytes);
        if is_told_by(&line) {
            watch().leaks.push(line.into_owned());
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
