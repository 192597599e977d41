//! Following runs: every event once and in order, whoever listens where, and however often they
//! break off.

use std::time::Duration;

use futures::future::join_all;
use reqwest::{Method, Response};
use serde_json::{Value, json};
use tests::support::{App, Client, Reply, app::Options};

use super::support::{RUNS, id, prompt, run, start, words};

/// An event as it was sent.
#[derive(Debug, Clone, PartialEq)]
struct Event {
    id: i64,
    data: Value,
}

impl Event {
    fn of(frame: &str) -> Option<Self> {
        let line = |name| frame.lines().find_map(|line: &str| line.strip_prefix(name));
        Some(Self {
            id: line("id: ")?.parse().expect("a number"),
            data: serde_json::from_str(line("data: ")?).expect("JSON"),
        })
    }
}

async fn connect(client: &Client, run: &str, seen: i64) -> Response {
    let path = format!("{RUNS}/{run}/events");
    let mut request = client.request(Method::GET, &path);
    if seen > 0 {
        request = request.header("last-event-id", seen);
    }
    request.send().await.expect("an answer")
}

/// Takes up to `most` events of an answer, then breaks off; a slow listener rests after each piece.
async fn take(mut reply: Response, most: usize, rest: Duration) -> Vec<Event> {
    let (mut text, mut events) = (String::new(), Vec::new());
    while let Some(piece) = reply.chunk().await.expect("the answer goes on") {
        text.push_str(std::str::from_utf8(&piece).expect("text"));
        while let Some(end) = text.find("\n\n") {
            let frame: String = text.drain(..end + 2).collect();
            events.extend(Event::of(&frame));
        }
        if events.len() >= most {
            events.truncate(most);
            break;
        }
        tokio::time::sleep(rest).await;
    }
    events
}

/// Follows a run to its end, breaking off after up to `most` events each time.
async fn follow(client: &Client, run: &str, most: usize, rest: Duration) -> Vec<Event> {
    let mut events: Vec<Event> = Vec::new();
    loop {
        let seen = events.last().map_or(0, |event| event.id);
        let reply = connect(client, run, seen).await;
        if reply.status() == 204 {
            return events;
        }
        assert_eq!(reply.status(), 200);
        let most = rand::random_range(1..=most);
        events.extend(take(reply, most, rest).await);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn everybody_gets_every_event_once_and_in_order_on_every_server() {
    let app = App::start().await;
    let twin = app.replica(Options::default()).await;
    // It hears nothing of the others, and has to look for itself.
    let deaf = Options::with(|config| config.queue.redis_prefix.push_str(":deaf"));
    let deaf = app.replica(deaf).await;
    let ada = app.register().await;
    let prompt = prompt(&ada, "[[mock: echo]] Say {{word}}.").await;
    let data = words(&ada, 150).await;
    let body = json!({"promptId": prompt, "datasetId": data, "cache": "off",
        "modelIds": ["mock/text-1", "mock/text-1"], "concurrency": 8});
    let started = start(&ada, &body).await;
    let run_id = id(&started);
    let worker = app.worker();
    let listener = async |server: &App, most, rest| {
        let client = ada.at(&server.url);
        follow(&client, &run_id, most, Duration::from_millis(rest)).await
    };
    let many = join_all((0..20).map(|_| listener(&app, usize::MAX, 0)));
    let fickle = join_all((0..6).map(|_| listener(&twin, 90, 0)));
    let slow = listener(&twin, usize::MAX, 30);
    let alone = listener(&deaf, 300, 0);
    let (done, many, fickle, slow, alone) =
        tokio::join!(worker::drain(&worker), many, fickle, slow, alone);
    done.expect("work is done");
    let last = run(&ada, &run_id).await["lastEventId"]
        .as_i64()
        .expect("a number");
    assert!(last > 600, "each cell is begun and ended: {last}");
    for events in many.into_iter().chain(fickle).chain([slow, alone]) {
        let ids: Vec<_> = events.iter().map(|event| event.id).collect();
        assert_eq!(ids, (1..=last).collect::<Vec<_>>());
        assert_eq!(events[0].data["kind"], "queued");
        assert_eq!(events[1].data["kind"], "started");
        assert_eq!(events[1].data["rowIndex"], 0);
        assert!(events[1].data["cellId"].is_string());
        let end = &events.last().expect("events").data;
        assert_eq!(end["kind"], "run_completed");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_waits_hears_that_a_run_was_called_off_and_the_answer_ends() {
    let app = App::start().await;
    let ada = app.register().await;
    let prompt = prompt(&ada, "[[mock: echo]] Say hello.").await;
    let body = json!({"promptId": prompt, "modelIds": ["mock/text-1"]});
    let run = id(&start(&ada, &body).await);
    let reply = connect(&ada, &run, 0).await;
    let cancel = format!("{RUNS}/{run}/cancel");
    ada.post_empty(&cancel).await.expect(204);
    let events = take(reply, usize::MAX, Duration::ZERO).await;
    let kinds: Vec<_> = events.iter().map(|event| &event.data["kind"]).collect();
    assert_eq!(kinds, ["queued", "run_cancelled"]);
    assert_eq!(connect(&ada, &run, 2).await.status(), 204);
    assert_eq!(connect(&ada, &run, 1).await.status(), 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_may_not_follow_or_follows_too_much_is_told() {
    let app = App::start_with(Options::with(|config| config.runs.run_max_listeners = 2)).await;
    let ada = app.register().await;
    let bob = app.register().await;
    let prompt = prompt(&ada, "[[mock: echo]] Say hello.").await;
    let body = json!({"promptId": prompt, "modelIds": ["mock/text-1"]});
    let run = id(&start(&ada, &body).await);
    let path = format!("{RUNS}/{run}/events");
    bob.get(&path).await.expect_problem(404, "not_found");
    for wrong in ["x", "-1", "1.5", "2", "99999999999999999999"] {
        let request = ada.request(Method::GET, &path);
        let reply = Reply::to(request.header("last-event-id", wrong)).await;
        reply.expect_problem(400, "invalid_header");
    }
    let first = connect(&ada, &run, 0).await;
    assert_eq!(first.headers()["content-type"], "text/event-stream");
    let second = connect(&ada, &run, 0).await;
    ada.get(&path)
        .await
        .expect_problem(429, "too_many_requests");
    assert_eq!(
        (first.status(), second.status()),
        (
            200.try_into().expect("a status"),
            200.try_into().expect("a status")
        )
    );
}
