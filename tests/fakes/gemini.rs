//! A Gemini API that answers from its input alone: same request, same answer, no network.
//!
//! It speaks `generateContent`, `streamGenerateContent`, `embedContent`, `batchEmbedContents`,
//! `countTokens` and the model list, in both versions and both spellings, and refuses what the
//! real one refuses. What goes wrong is scripted by [`Cue`]s, from the test that holds the
//! [`FakeGemini`], or over HTTP under `/_fake/`: `POST script`, `GET counters`, `GET requests`,
//! `POST reset`. Every key is good, except those that begin with `bad`.

use std::{
    net::{Ipv4Addr, TcpListener},
    sync::Arc,
    thread,
    time::Duration,
};

use actix_web::{
    App, HttpServer, dev::Server, dev::ServerHandle, http::KeepAlive, rt::System, web,
};
use tokio::sync::oneshot;

mod calls;
mod catalog;
mod counters;
mod embed;
mod generate;
pub(super) mod instance;
mod ledger;
mod minute;
mod prompt;
mod refusals;
mod script;
mod server;
mod shapes;
mod state;
mod transport;

pub use counters::{Counters, Received};
pub use ledger::{LedgerCall, question};
pub use script::{Break, Cue, Quota};
use state::State;

/// How the fake behaves when nothing is scripted.
#[derive(Debug, Clone, Copy)]
pub struct Options {
    /// How long each call takes.
    pub latency: Duration,
    /// How long a stream pauses between two events.
    pub pause: Duration,
    /// Threads that answer.
    pub workers: usize,
    /// Whether every call that embeds or generates is kept with the hashes of its texts.
    pub ledger: bool,
    /// How many calls of a model are answered in any minute; twice their share in any second.
    pub requests_per_minute: Option<u32>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            latency: Duration::ZERO,
            pause: Duration::ZERO,
            workers: 1,
            ledger: false,
            requests_per_minute: None,
        }
    }
}

/// A running fake on a port of its own; it stops when dropped.
#[derive(Debug)]
pub struct FakeGemini {
    /// Where it is: what `GEMINI_BASE_URL` is set to.
    pub url: String,
    state: Arc<State>,
    server: ServerHandle,
}

impl FakeGemini {
    /// Starts one without latency.
    pub async fn start() -> Self {
        Self::start_with(Options::default()).await
    }

    /// Starts one, on a thread and runtime of its own.
    pub async fn start_with(options: Options) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
        let address = listener
            .local_addr()
            .expect("a bound listener has an address");
        let state = Arc::new(State::new(options));
        let (started, handle) = oneshot::channel();
        let shared = Arc::clone(&state);
        thread::spawn(move || {
            System::new().block_on(async move {
                let server = server(shared, listener).expect("a bound listener can be served");
                started.send(server.handle()).ok();
                server.await
            })
        });
        let server = handle.await.expect("the thread starts the server");
        Self {
            url: format!("http://{address}"),
            state,
            server,
        }
    }

    /// Adds to what will happen, after what is already scripted.
    pub fn script(&self, cues: impl IntoIterator<Item = Cue>) {
        self.state.script(cues);
    }

    /// What happened so far.
    pub fn counters(&self) -> Counters {
        self.state.counters()
    }

    /// The latest calls, oldest first; of more than twenty, the latest twenty.
    pub fn requests(&self) -> Vec<Received> {
        self.state.requests()
    }

    /// The calls that embed or generate so far, if a ledger was asked for.
    pub fn ledger(&self) -> Vec<LedgerCall> {
        self.state.ledger()
    }

    /// Forgets what was scripted and what was counted.
    pub fn reset(&self) {
        self.state.reset();
    }
}

impl Drop for FakeGemini {
    fn drop(&mut self) {
        // The command is sent at once; its future only waits for the end.
        drop(self.server.stop(false));
    }
}

/// Serves a fake on this listener until the process is told to stop.
pub async fn serve(options: Options, listener: TcpListener) -> std::io::Result<()> {
    server(Arc::new(State::new(options)), listener)?.await
}

fn server(state: Arc<State>, listener: TcpListener) -> std::io::Result<Server> {
    let workers = state.options.workers;
    let state = web::Data::from(state);
    let app = move || App::new().app_data(state.clone()).configure(server::routes);
    let server = HttpServer::new(app)
        .on_connect(transport::keep_socket)
        .workers(workers)
        // Longer than clients keep an idle connection, or they would meet closed ones.
        .keep_alive(KeepAlive::Timeout(Duration::from_secs(300)))
        .client_request_timeout(Duration::ZERO)
        .disable_signals()
        .shutdown_timeout(0)
        .listen(listener)?
        .run();
    Ok(server)
}
