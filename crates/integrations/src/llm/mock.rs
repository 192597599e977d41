//! The mock provider, played in time: `domain` says what happens, this waits.

use std::time::Duration;

use domain::providers::{
    PortFuture, ProviderError,
    generate::{Event, Events, Provider, Reply, Request},
    mock::{self, Performance},
};
use futures::{StreamExt, stream};
use tokio::time::sleep;

use super::Clock;

/// Answers without a model: see [`mock`].
#[derive(Debug, Clone)]
pub struct MockProvider {
    clock: Clock,
}

impl MockProvider {
    /// A mock that tells the time by this clock where an error names one.
    pub const fn new(clock: Clock) -> Self {
        Self { clock }
    }

    async fn generate(&self, request: &Request) -> Result<Reply, ProviderError> {
        let performance = mock::perform(request, self.clock.now());
        pause(performance.latency).await;
        match performance.breaks_after {
            Some(_) => Err(broken()),
            None => performance.result,
        }
    }

    async fn stream(&self, request: &Request) -> Result<Events, ProviderError> {
        let performance = mock::perform(request, self.clock.now());
        pause(performance.latency).await;
        let Performance {
            pause: between,
            result,
            breaks_after,
            ..
        } = performance;
        let events = events(result?, breaks_after);
        let paced = stream::iter(events)
            .enumerate()
            .then(move |(place, event)| async move {
                if place > 0 {
                    pause(between).await;
                }
                event
            });
        Ok(paced.boxed())
    }
}

/// What a stream brings: word by word, then the whole or the break.
fn events(reply: Reply, breaks_after: Option<usize>) -> Vec<Result<Event, ProviderError>> {
    let words = mock::pieces(&reply.text).map(|word| Ok(Event::Text(word.to_owned())));
    let mut events: Vec<_> = words.take(breaks_after.unwrap_or(usize::MAX)).collect();
    events.push(match breaks_after {
        Some(_) => Err(broken()),
        None => Ok(Event::End(Box::new(reply))),
    });
    events
}

fn broken() -> ProviderError {
    ProviderError::Timeout("the mock was told to break off".into())
}

async fn pause(time: Duration) {
    if !time.is_zero() {
        sleep(time).await;
    }
}

impl Provider for MockProvider {
    fn name(&self) -> &'static str {
        mock::NAME
    }

    fn generate<'a>(
        &'a self,
        request: &'a Request,
    ) -> PortFuture<'a, Result<Reply, ProviderError>> {
        Box::pin(self.generate(request))
    }

    fn stream<'a>(&'a self, request: &'a Request) -> PortFuture<'a, Result<Events, ProviderError>> {
        Box::pin(self.stream(request))
    }

    fn check(&self) -> PortFuture<'_, Result<(), ProviderError>> {
        Box::pin(async { Ok(()) })
    }
}

#[cfg(test)]
mod tests {
    use domain::providers::generate::{Part, Speaker, Turn};
    use tokio::time::Instant;

    use super::*;

    fn asking(text: &str) -> Request {
        Request {
            model: "mock-1".into(),
            turns: vec![Turn {
                speaker: Speaker::User,
                parts: vec![Part::Text(text.into())],
            }],
            ..Request::default()
        }
    }

    async fn streamed(text: &str) -> Vec<Result<Event, ProviderError>> {
        let mock = MockProvider::new(Clock::system());
        mock.stream(&asking(text))
            .await
            .expect("a stream")
            .collect()
            .await
    }

    #[tokio::test(start_paused = true)]
    async fn a_stream_brings_the_words_and_then_the_whole() {
        let begin = Instant::now();
        let events = streamed("[[mock: echo, latency=2s, slow-stream=100ms]]one two three").await;
        assert_eq!(begin.elapsed().as_millis(), 2300);
        let mut words = String::new();
        for event in events {
            match event.expect("an event") {
                Event::Text(word) => words.push_str(&word),
                Event::End(reply) => assert_eq!(reply.text, words),
            }
        }
        assert_eq!(words, "one two three");
    }

    #[tokio::test(start_paused = true)]
    async fn a_stream_that_breaks_has_no_end() {
        let events = streamed("[[mock: echo, break]]one two three four").await;
        let words = ["one ", "two "].map(|word| Ok(Event::Text(word.into())));
        assert_eq!(events, [&words[..], &[Err(broken())]].concat());
    }

    #[tokio::test(start_paused = true)]
    async fn what_fails_fails_before_the_first_event() {
        let mock = MockProvider::new(Clock::system());
        let request = asking("[[mock: latency=1s, error=overloaded]]");
        let begin = Instant::now();
        let failed = [
            mock.generate(&request).await.err(),
            mock.stream(&request).await.err(),
        ];
        assert_eq!(begin.elapsed().as_millis(), 2000);
        let classes = failed.map(|error| error.map(|error| error.class()));
        assert_eq!(classes, [Some("provider_overloaded"); 2]);
    }
}
