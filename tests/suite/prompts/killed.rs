//! A server killed between the commit of a change and the forgetting of the copies.

use std::{
    net::TcpListener,
    process::{Child, Command, Stdio},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use redis::AsyncCommands as _;
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::json;
use tests::support::{App, Client, Options};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpStream, tcp},
    sync::Notify,
};
use url::Url;

use super::support::{create, path_of, point, version};

/// What the servers sign access tokens with: settings of a process take commas for the next key.
const KEY: &str = "a key for programs and for servers of the test";

/// The settings of tests with that key, and so many seconds of trust in copies.
fn options(trust: u32) -> Options {
    Options::with(move |config| {
        config.accounts.jwt_keys = vec![SecretString::from(KEY)];
        config.prompt_trust_seconds = trust;
    })
}

/// A way to Redis on which the deletion of a key can be lost.
struct Way {
    url: Url,
    lost: Arc<Lost>,
}

/// The key whose deletion is lost, and word of that it was.
#[derive(Default)]
struct Lost {
    key: Mutex<Option<String>>,
    happened: Notify,
    is_shut: AtomicBool,
}

impl Way {
    /// To the server at this address.
    async fn to(server: &Url) -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0")
            .await
            .expect("a port");
        let mut url = server.clone();
        let port = listener.local_addr().expect("an address").port();
        url.set_host(Some("127.0.0.1")).expect("a host");
        url.set_port(Some(port)).expect("a port");
        let host = server.host_str().expect("a host").to_owned();
        let target = (host, server.port().unwrap_or(6379));
        let lost = Arc::<Lost>::default();
        let heard = lost.clone();
        tokio::spawn(async move {
            while let Ok((near, _)) = listener.accept().await {
                let far = TcpStream::connect(&target).await.expect("Redis");
                let ((from, mut back), (mut answers, to)) = (near.into_split(), far.into_split());
                tokio::spawn(forward(from, to, heard.clone()));
                tokio::spawn(async move { tokio::io::copy(&mut answers, &mut back).await });
            }
        });
        Self { url, lost }
    }

    /// From now on a deletion of this key does not arrive, nor does anything after it.
    fn lose(&self, key: String) {
        *self.lost.key.lock().expect("no panic") = Some(key);
    }
}

/// Passes commands on until the one that is to be lost.
async fn forward(mut from: tcp::OwnedReadHalf, mut to: tcp::OwnedWriteHalf, lost: Arc<Lost>) {
    let mut bytes = vec![0; 64 * 1024];
    while let Ok(read @ 1..) = from.read(&mut bytes).await {
        if lost.is_to_be_lost(&bytes[..read]) {
            lost.is_shut.store(true, Ordering::SeqCst);
            lost.happened.notify_one();
        }
        if !lost.is_shut.load(Ordering::SeqCst) && to.write_all(&bytes[..read]).await.is_err() {
            return;
        }
    }
}

impl Lost {
    fn is_to_be_lost(&self, commands: &[u8]) -> bool {
        let key = self.key.lock().expect("no panic");
        let has = |part: &[u8]| commands.windows(part.len()).any(|found| found == part);
        let named = |key: &String| has(b"\r\nDEL\r\n") && has(key.as_bytes());
        key.as_ref().is_some_and(named)
    }
}

/// The real program. It is killed when dropped.
struct Server {
    child: Child,
    url: String,
}

impl Server {
    /// One of this installation, which reaches Redis on this way.
    async fn start(app: &App, way: &Way) -> Self {
        let test = std::env::current_exe().expect("a test has a program");
        let folder = test.parent().and_then(|deps| deps.parent());
        let program = folder.expect("a target folder").join("api");
        let port = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = port.local_addr().expect("an address").to_string();
        drop(port);
        let child = Command::new(program)
            .arg("serve")
            .env_clear()
            .env("API_BIND", &address)
            .env("JWT_KEYS", KEY)
            .env("DATABASE_URL", app.database().url())
            .env("REDIS_URL", way.url.as_str())
            .env("REDIS_PREFIX", &app.config.queue.redis_prefix)
            .env("STORAGE_URL", app.config.storage.storage_url.as_str())
            .stdout(Stdio::null())
            .spawn()
            .expect("build the programs first: cargo build --workspace --bins");
        let server = Self {
            child,
            url: format!("http://{address}"),
        };
        let deadline = Instant::now() + Duration::from_secs(60);
        let ready = format!("{}/readyz", server.url);
        while !reqwest::get(&ready)
            .await
            .is_ok_and(|answer| answer.status() == 200)
        {
            assert!(Instant::now() < deadline, "the server does not start");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        server
    }

    /// `kill -9`.
    fn kill(&mut self) {
        self.child.kill().expect("it ran");
        self.child.wait().expect("it ended");
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

async fn title(client: &Client, path: &str) -> String {
    let prompt = client.get(path).await.expect(200).json();
    prompt["title"].as_str().expect("a title").to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_killed_server_did_not_tell_redis_is_seen_when_the_trust_in_copies_ends() {
    const TRUST: u32 = 2;
    let app = App::start_with(options(30)).await;
    let other = app.replica(options(TRUST)).await;
    let ada = app.register().await;
    let prompt = create(&ada, json!({"title": "Old"})).await;
    let path = path_of(&prompt);
    let one = version(&ada, &path).await;
    point(&ada, &path, "production", &one).await;
    let released = format!("{path}?label=production");
    let redis_url = app.config.queue.redis_url.expose_secret();
    let way = Way::to(&redis_url.parse().expect("a URL")).await;
    let mut doomed = Server::start(&app, &way).await;
    let through = ada.at(&doomed.url);
    for path in [&path, &released] {
        assert_eq!(title(&through, path).await, "Old");
    }
    let id = prompt["id"].as_str().expect("an id");
    let shelf = app.config.queue.key(&format!("prompt:{id}"));
    way.lose(shelf.clone());
    let request = through
        .request(reqwest::Method::PATCH, &path)
        .json(&json!({"title": "New"}));
    let change = tokio::spawn(request.send());
    way.lost.happened.notified().await;
    doomed.kill();
    let killed = Instant::now();
    assert!(change.await.expect("no panic").is_err(), "it has answered");
    // Committed, and unknown to Redis.
    assert_eq!(app.count("prompts WHERE title = 'New'").await, 1);
    let copies: usize = app.redis().await.hlen(&shelf).await.expect("copies");
    assert_eq!(copies, 2);
    // A server that trusts copies for half a minute shows the old one: this is what has an end.
    assert_eq!(title(&ada, &path).await, "Old");
    let client = ada.at(&other.url);
    for path in [&path, &released] {
        loop {
            let asked = killed.elapsed();
            if title(&client, path).await == "New" {
                break;
            }
            assert!(
                asked.as_secs() < TRUST.into(),
                "the old prompt after {asked:?}"
            );
        }
    }
    for path in [&path, &released].repeat(10) {
        assert_eq!(title(&client, path).await, "New");
        assert_eq!(title(&ada, path).await, "New", "the copy is a new one");
    }
}
