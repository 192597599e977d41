//! One process without Redis: places, streams, and calls that are given up.

use std::{
    sync::{
        Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use chrono::{TimeDelta, Utc};
use clap::Parser;
use domain::providers::generate::Turn;
use tokio::sync::Notify;

use super::*;
use crate::governor::GovernorConfig;

#[derive(Parser)]
struct Arguments {
    #[command(flatten)]
    governor: GovernorConfig,
}

/// A provider whose calls wait until they are let go, and then fail if they are told to.
#[derive(Default)]
struct Held {
    calls: AtomicUsize,
    go: Notify,
    fails: Mutex<Option<ProviderError>>,
    finish: Mutex<Finish>,
}

impl Held {
    fn ended(&self) -> Result<Reply, ProviderError> {
        match self.fails.lock().expect("no panic").clone() {
            Some(error) => Err(error),
            None => Ok(Reply {
                finish: self.finish.lock().expect("no panic").clone(),
                ..Reply::default()
            }),
        }
    }
}

impl Provider for Held {
    fn name(&self) -> &'static str {
        "held"
    }

    fn generate<'a>(&'a self, _: &'a Request) -> PortFuture<'a, Result<Reply, ProviderError>> {
        Box::pin(async move {
            self.calls.fetch_add(1, Ordering::Relaxed);
            self.go.notified().await;
            self.ended()
        })
    }

    fn stream<'a>(&'a self, _: &'a Request) -> PortFuture<'a, Result<Events, ProviderError>> {
        Box::pin(async move {
            self.calls.fetch_add(1, Ordering::Relaxed);
            let last = self.ended().map(|reply| Event::End(Box::new(reply)));
            let events = [Ok(Event::Text("a".into())), last];
            Ok(stream::iter(events).boxed())
        })
    }

    fn check(&self) -> PortFuture<'_, Result<(), ProviderError>> {
        Box::pin(std::future::ready(Ok(())))
    }
}

/// Room for one call at a time, and little patience.
fn governed() -> (Arc<Held>, Arc<dyn Provider>) {
    let (held, governor) = governor();
    let governor = governor.within(Duration::from_millis(40));
    let governed = governor.provider(held.clone(), "a-key");
    (held, governed)
}

fn governor() -> (Arc<Held>, Governor) {
    let (held, governor, _) = governor_at("redis://127.0.0.1:1/0");
    (held, governor)
}

fn governor_at(redis_url: &str) -> (Arc<Held>, Governor, crate::Redis) {
    let given = ["x", "--governor-local-concurrency=1"];
    let settings = Arguments::parse_from(given).governor;
    let config = crate::Config {
        redis_url: redis_url.to_owned().into(),
        redis_prefix: format!("test:{:016x}", rand::random::<u64>()),
        workflow_company_concurrency: 100,
    };
    let redis = crate::connect(&config).expect("an address");
    let governor = Governor::new(redis.clone(), config, settings, Arc::default());
    (Arc::default(), governor, redis)
}

fn request() -> Request {
    Request {
        model: "a-model".into(),
        turns: vec![Turn {
            speaker: domain::providers::generate::Speaker::User,
            parts: vec![Part::Text("How deep is the sea?".into())],
        }],
        ..Request::default()
    }
}

async fn class(provider: &dyn Provider) -> &'static str {
    let reply = provider.generate(&request()).await;
    reply.as_ref().map_or_else(ProviderError::class, |_| "ok")
}

#[tokio::test]
async fn a_stream_keeps_its_place_until_its_end() {
    let (held, governed) = governed();
    let mut events = governed.stream(&request()).await.expect("a stream");
    assert!(matches!(events.next().await, Some(Ok(Event::Text(_)))));
    assert_eq!(class(&*governed).await, "provider_held");
    assert!(matches!(events.next().await, Some(Ok(Event::End(_)))));
    held.go.notify_one();
    assert_eq!(class(&*governed).await, "ok");
    assert!(events.next().await.is_none());
    assert_eq!(held.calls.load(Ordering::Relaxed), 2);
}

#[tokio::test]
async fn a_stream_that_is_dropped_gives_its_place_back() {
    let (held, governed) = governed();
    let events = governed.stream(&request()).await.expect("a stream");
    assert_eq!(class(&*governed).await, "provider_held");
    drop(events);
    held.go.notify_one();
    assert_eq!(class(&*governed).await, "ok");
}

#[tokio::test]
async fn a_call_that_is_given_up_gives_its_place_back() {
    let (held, governed) = governed();
    let request = request();
    let mut call = governed.generate(&request);
    let polled = tokio::time::timeout(Duration::from_millis(5), &mut call).await;
    assert!(polled.is_err(), "it waits for its answer");
    while held.calls.load(Ordering::Relaxed) == 0 {
        drop(tokio::time::timeout(Duration::from_millis(5), &mut call).await);
    }
    assert_eq!(class(&*governed).await, "provider_held");
    drop(call);
    held.go.notify_one();
    assert_eq!(class(&*governed).await, "ok");
}

#[tokio::test]
async fn a_process_that_ends_begins_no_call_and_keeps_nobody_waiting() {
    let (held, governor) = governor();
    let stop = tokio_util::sync::CancellationToken::new();
    let governed = governor.until(stop.clone()).provider(held.clone(), "a-key");
    let streamed = governed.stream(&request()).await;
    let request = request();
    let mut waiting = governed.generate(&request);
    let polled = tokio::time::timeout(Duration::from_millis(20), &mut waiting).await;
    assert!(
        polled.is_err(),
        "it waits for a place, ten seconds if need be"
    );
    stop.cancel();
    let turned_away = tokio::time::timeout(Duration::from_secs(5), waiting).await;
    let refused = turned_away.expect("at once").expect_err("turned away");
    assert_eq!(refused.class(), "provider_held");
    assert_eq!(class(&*governed).await, "provider_held");
    assert!(streamed.is_ok(), "what was under way goes on");
    assert_eq!(held.calls.load(Ordering::Relaxed), 1);
}

#[tokio::test]
async fn an_error_in_the_middle_of_a_stream_closes_the_lane() {
    let (held, governed) = governed();
    let retry_at = Utc::now() + TimeDelta::hours(1);
    let limited = ProviderError::RateLimited { retry_at };
    *held.fails.lock().expect("no panic") = Some(limited.clone());
    let events = governed.stream(&request()).await.expect("a stream");
    let last = events.collect::<Vec<_>>().await.pop();
    assert_eq!(last, Some(Err(limited)));
    let refused = governed.generate(&request()).await.expect_err("refused");
    assert_eq!(refused.class(), "provider_rate_limited");
    let micros = |error: &ProviderError| error.retry_at().map(|at| at.timestamp_micros());
    assert_eq!(micros(&refused), Some(retry_at.timestamp_micros()));
    assert_eq!(held.calls.load(Ordering::Relaxed), 1);
    // Another family is another lane.
    let mut other = request();
    other.model = "another-model".into();
    assert!(governed.stream(&other).await.is_ok());
}

#[tokio::test]
async fn streams_that_break_close_the_lane_as_other_failures_do() {
    let (held, governed) = governed();
    *held.finish.lock().expect("no panic") = Finish::Cut;
    for _ in 0..domain::providers::lane::FAILURES {
        let events = governed.stream(&request()).await.expect("a stream");
        assert_eq!(events.count().await, 2);
    }
    let refused = governed.stream(&request()).await.err();
    assert_eq!(
        refused.as_ref().map(ProviderError::class),
        Some("provider_held")
    );
}

#[tokio::test]
async fn a_refused_key_is_told_to_all_in_the_words_of_the_provider_without_a_call() {
    let (held, governed) = governed();
    let refusal = ProviderError::OutOfCredit("Your credit is depleted".into());
    *held.fails.lock().expect("no panic") = Some(refusal.clone());
    held.go.notify_one();
    let refused = governed.generate(&request()).await;
    assert_eq!(refused.err(), Some(refusal.clone()));
    let unasked = ProviderError::Unasked(Box::new(refusal.clone()));
    for _ in 0..2 {
        let refused = governed.generate(&request()).await.expect_err("refused");
        assert_eq!(refused, unasked);
        assert_eq!(refused.to_string(), refusal.to_string());
    }
    assert_eq!(held.calls.load(Ordering::Relaxed), 1);
}

/// Lets what comes to this address through to the Redis of tests, for one connection after another.
async fn let_through(listener: tokio::net::TcpListener, to: String) {
    while let Ok((mut from, _)) = listener.accept().await {
        let to = to.clone();
        tokio::spawn(async move {
            if let Ok(mut to) = tokio::net::TcpStream::connect(to).await {
                drop(tokio::io::copy_bidirectional(&mut from, &mut to).await);
            }
        });
    }
}

#[tokio::test]
async fn a_time_that_redis_did_not_hear_is_told_to_it_when_it_is_back() {
    let Ok(redis_url) = std::env::var("REDIS_URL") else {
        eprintln!("SKIPPED: REDIS_URL is not set");
        return;
    };
    let rest = redis_url.trim_start_matches("redis://");
    let (who, rest) = rest
        .rsplit_once('@')
        .map_or(("", rest), |(who, rest)| (who, rest));
    let (server, number) = rest.split_once('/').unwrap_or((rest, "0"));
    let away = tokio::net::TcpListener::bind("127.0.0.1:0").await;
    let place = away
        .and_then(|listener| listener.local_addr())
        .expect("a port");
    let at = if who.is_empty() { "" } else { "@" };
    let address = format!("redis://{who}{at}{place}/{number}");
    let (held, governor, mut redis) = governor_at(&address);
    let governed = governor.provider(held.clone(), "a-key");
    let retry_at = Utc::now() + TimeDelta::hours(1);
    *held.fails.lock().expect("no panic") = Some(ProviderError::RateLimited { retry_at });
    held.go.notify_one();
    assert_eq!(class(&*governed).await, "provider_rate_limited");

    let back = tokio::net::TcpListener::bind(place)
        .await
        .expect("the port");
    tokio::spawn(let_through(back, server.to_owned()));
    let state = governor
        .shared
        .redis_config
        .key("governor:{a-key:held:a-model}:state");
    let heard = async {
        loop {
            let mut parked = redis::cmd("HEXISTS");
            let parked = parked.arg(&state).arg("parked");
            if parked
                .query_async::<bool>(&mut redis)
                .await
                .unwrap_or(false)
            {
                return;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    let heard = tokio::time::timeout(Duration::from_secs(20), heard).await;
    heard.expect("nobody asked, and it was told");
    let mut gone = redis::cmd("DEL");
    gone.arg(&state)
        .exec_async(&mut redis)
        .await
        .expect("Redis answers");
}
