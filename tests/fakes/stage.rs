//! What the small fakes share: a server that answers by a script, in the words of a dialect.
//!
//! What happens to the next calls is scripted by [`Cue`]s, from the test that holds the [`Fake`], or
//! over HTTP by `POST /_fake/script` with a list of them.

use std::{
    collections::{BTreeMap, VecDeque},
    fmt, io,
    net::{Ipv4Addr, TcpListener},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    thread,
    time::Duration,
};

use actix_web::{
    App, HttpRequest, HttpResponse, HttpServer,
    dev::{Server, ServerHandle},
    http::{KeepAlive, StatusCode},
    rt::{System, time::sleep},
    web::{self, Bytes},
};
use futures::{StreamExt, stream};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tokio::sync::oneshot;

/// The largest request.
const MAX_BODY: usize = 32 * 1024 * 1024;

/// Long enough for what was written to leave before the connection breaks.
const PARTING: Duration = Duration::from_millis(30);

/// What happens to a call. What is not said happens as usual.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Cue {
    /// What the model says.
    pub text: Option<String>,
    /// Why the model stops, in the dialect's words.
    pub finish: Option<String>,
    /// The status of a refusal.
    pub status: Option<u16>,
    /// The code or kind of the refusal, in the dialect's words.
    pub code: Option<String>,
    /// What the refusal says.
    pub message: Option<String>,
    /// Headers of the answer.
    pub headers: BTreeMap<String, String>,
    /// This body instead of any other.
    pub body: Option<String>,
    /// How much longer the call takes.
    pub delay_ms: u64,
    /// How long a stream pauses before each event.
    pub slow_ms: u64,
    /// After how many events, or halfway in a body, the connection breaks.
    pub cut: Option<usize>,
    /// After how many events an error comes in the middle of the stream.
    pub fails_after: Option<usize>,
    /// Whether the answer leaves out what it used, and its last words about the end.
    pub terse: bool,
}

impl Cue {
    /// The model says this.
    pub fn says(text: &str) -> Self {
        Self {
            text: Some(text.into()),
            ..Self::default()
        }
    }

    /// A refusal with this status.
    pub fn status(status: u16) -> Self {
        Self {
            status: Some(status),
            ..Self::default()
        }
    }

    /// A success with this text for a body.
    pub fn garbage(body: &str) -> Self {
        Self {
            body: Some(body.into()),
            ..Self::default()
        }
    }

    /// With this header.
    #[must_use]
    pub fn with(mut self, name: &str, value: &str) -> Self {
        self.headers.insert(name.into(), value.into());
        self
    }

    /// With this code.
    #[must_use]
    pub fn code(self, code: &str) -> Self {
        Self {
            code: Some(code.into()),
            ..self
        }
    }
}

/// A call as it arrived.
#[derive(Debug, Clone)]
pub struct Heard {
    /// Method and path, such as `POST /v1/messages`.
    pub what: String,
    /// What follows the question mark of the address.
    pub query: String,
    /// Its headers, names in lower case.
    pub headers: BTreeMap<String, String>,
    /// Its body, or null.
    pub body: Value,
}

impl Heard {
    /// A header, or nothing.
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", String::as_str)
    }
}

/// What a dialect says to a call.
#[derive(Debug, Clone)]
pub struct Said {
    /// The status.
    pub status: u16,
    /// The answer.
    pub body: Words,
}

/// An answer, whole or in events.
#[derive(Debug, Clone)]
pub enum Words {
    /// One body.
    Whole(Value),
    /// Events, each as it is written.
    Events(Vec<String>),
    /// One body, with headers.
    Headed(Value, Vec<(&'static str, String)>),
}

impl Said {
    /// A body with its status.
    pub const fn whole(status: u16, body: Value) -> Self {
        Self {
            status,
            body: Words::Whole(body),
        }
    }
}

/// A dialect: how a provider answers a call, which the script may change.
pub type Dialect = Box<dyn Fn(&Heard, &Cue) -> Said + Send + Sync>;

/// What the calls share.
struct Stage {
    dialect: Dialect,
    script: Mutex<VecDeque<Cue>>,
    heard: Mutex<Vec<Heard>>,
    under_way: Mutex<usize>,
    gates: Mutex<VecDeque<oneshot::Receiver<()>>>,
    kept: Mutex<usize>,
}

/// A running fake on a port of its own; it stops when dropped.
pub struct Fake {
    /// Where it is, without a path.
    pub url: String,
    stage: Arc<Stage>,
    server: ServerHandle,
}

impl fmt::Debug for Fake {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(to, "Fake at {}", self.url)
    }
}

impl Fake {
    /// Starts one, on a thread and runtime of its own.
    pub async fn start(dialect: impl Fn(&Heard, &Cue) -> Said + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
        let address = listener
            .local_addr()
            .expect("a bound listener has an address");
        let stage = Arc::new(Stage {
            dialect: Box::new(dialect),
            script: Mutex::default(),
            heard: Mutex::default(),
            under_way: Mutex::default(),
            gates: Mutex::default(),
            kept: Mutex::default(),
        });
        let shared = Arc::clone(&stage);
        let (started, handle) = oneshot::channel();
        thread::spawn(move || {
            System::new().block_on(async move {
                let server = server(shared, listener).expect("a bound listener can be served");
                started.send(server.handle()).ok();
                server.await
            })
        });
        Self {
            url: format!("http://{address}"),
            stage,
            server: handle.await.expect("the thread starts the server"),
        }
    }

    /// Adds to what will happen.
    pub fn script(&self, cues: impl IntoIterator<Item = Cue>) {
        lock(&self.stage.script).extend(cues);
    }

    /// How many calls there were so far.
    pub fn calls(&self) -> usize {
        lock(&self.stage.heard).len()
    }

    /// The calls so far.
    pub fn heard(&self) -> Vec<Heard> {
        lock(&self.stage.heard).clone()
    }

    /// Keeps the answer to the next call, once it is made, until this is dropped.
    pub fn keep_answer(&self) -> oneshot::Sender<()> {
        let (open, gate) = oneshot::channel();
        lock(&self.stage.gates).push_back(gate);
        open
    }

    /// How many answers were made and are kept.
    pub fn kept(&self) -> usize {
        *lock(&self.stage.kept)
    }

    /// How many answers are being written.
    pub fn under_way(&self) -> usize {
        *lock(&self.stage.under_way)
    }
}

impl Drop for Fake {
    fn drop(&mut self) {
        // The command is sent at once; its future only waits for the end.
        drop(self.server.stop(false));
    }
}

fn server(stage: Arc<Stage>, listener: TcpListener) -> io::Result<Server> {
    let stage = web::Data::from(stage);
    let app = move || {
        App::new()
            .app_data(stage.clone())
            .app_data(web::PayloadConfig::new(MAX_BODY))
            .route("/_fake/script", web::post().to(script))
            .default_service(web::to(call))
    };
    let server = HttpServer::new(app)
        .workers(1)
        .keep_alive(KeepAlive::Timeout(Duration::from_secs(300)))
        .client_request_timeout(Duration::ZERO)
        .disable_signals()
        .shutdown_timeout(0)
        .listen(listener)?
        .run();
    Ok(server)
}

async fn script(stage: web::Data<Stage>, body: Bytes) -> HttpResponse {
    match serde_json::from_slice::<Vec<Cue>>(&body) {
        Ok(cues) => lock(&stage.script).extend(cues),
        Err(error) => return HttpResponse::BadRequest().body(format!("{error}\n")),
    }
    HttpResponse::NoContent().finish()
}

async fn call(stage: web::Data<Stage>, request: HttpRequest, body: Bytes) -> HttpResponse {
    let headers = request.headers().iter();
    let heard = Heard {
        what: format!("{} {}", request.method(), request.path()),
        query: request.query_string().to_owned(),
        headers: headers
            .map(|(name, value)| {
                (
                    name.to_string(),
                    value.to_str().unwrap_or_default().to_owned(),
                )
            })
            .collect(),
        body: serde_json::from_slice(&body).unwrap_or_default(),
    };
    lock(&stage.heard).push(heard.clone());
    let cue = lock(&stage.script).pop_front().unwrap_or_default();
    if cue.delay_ms > 0 {
        sleep(Duration::from_millis(cue.delay_ms)).await;
    }
    let said = (stage.dialect)(&heard, &cue);
    let gate = lock(&stage.gates).pop_front();
    if let Some(gate) = gate {
        *lock(&stage.kept) += 1;
        // Whether it was sent to or dropped.
        let _ = gate.await;
        *lock(&stage.kept) -= 1;
    }
    respond(said, &cue, UnderWay::begin(stage.into_inner()))
}

fn respond(said: Said, cue: &Cue, under_way: UnderWay) -> HttpResponse {
    let status = StatusCode::from_u16(said.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut response = HttpResponse::build(status);
    for (name, value) in &cue.headers {
        response.insert_header((name.as_str(), value.as_str()));
    }
    match (said.body, &cue.body) {
        (_, Some(text)) => response.body(text.clone()),
        (Words::Events(events), None) => {
            response.content_type("text/event-stream");
            response.streaming(Box::pin(pieces(events, cue, under_way)))
        }
        (Words::Whole(body), None) if cue.cut.is_some() => {
            let mut half = body.to_string();
            half.truncate(half.len() / 2);
            response.content_type("application/json");
            response.streaming(Box::pin(pieces(vec![half], cue, under_way)))
        }
        (Words::Whole(body), None) => response.json(body),
        (Words::Headed(body, headers), None) => {
            for header in headers {
                response.insert_header(header);
            }
            response.json(body)
        }
    }
}

/// The pieces as they leave; the call is under way until the last one has.
fn pieces(
    events: Vec<String>,
    cue: &Cue,
    under_way: UnderWay,
) -> impl stream::Stream<Item = io::Result<Bytes>> + use<> {
    let pause = Duration::from_millis(cue.slow_ms);
    let mut pieces: Vec<_> = events
        .into_iter()
        .map(|event| (pause, Ok(Bytes::from(event))))
        .collect();
    if let Some(cut) = cue.cut {
        pieces.truncate(cut.max(1));
        pieces.push((PARTING, Err(io::ErrorKind::ConnectionReset.into())));
    }
    let pieces = stream::iter(pieces).then(async |(pause, piece)| {
        if !pause.is_zero() {
            sleep(pause).await;
        }
        piece
    });
    pieces.inspect(move |_| _ = &under_way)
}

/// An answer that is being written.
struct UnderWay(Arc<Stage>);

impl UnderWay {
    fn begin(stage: Arc<Stage>) -> Self {
        *lock(&stage.under_way) += 1;
        Self(stage)
    }
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        *lock(&self.0.under_way) -= 1;
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
