//! Adapters that ask the governor before each call, and tell it how the call ended.

use std::sync::Arc;

use domain::{
    documents::estimate_tokens,
    providers::{
        Embedder, EmbeddingTask, Embeddings, PortFuture, ProviderError,
        generate::{Event, Events, Finish, Part, Provider, Reply, Request},
    },
};
use futures::{StreamExt, stream};

use super::{Governor, place::Place, road::Road};

/// An adapter under the governor: the same port, the same answers, at times that every process
/// keeps to. Calls that would have to wait too long are answered with the time.
pub struct Governed<P: ?Sized> {
    inner: Arc<P>,
    governor: Governor,
    key: String,
}

impl<P: ?Sized> Governed<P> {
    /// Governs this adapter, whose key has this fingerprint. Another key is another lane: what the
    /// old one was told does not hold for it.
    pub fn new(inner: Arc<P>, governor: Governor, key: impl Into<String>) -> Self {
        let key = key.into();
        Self {
            inner,
            governor,
            key,
        }
    }

    async fn take(
        &self,
        road: Arc<Road>,
        tokens: impl FnOnce() -> usize,
    ) -> Result<Place, ProviderError> {
        #[expect(clippy::cast_precision_loss, reason = "far below 2^52")]
        let tokens = if road.has_token_limit() {
            tokens() as f64
        } else {
            0.0
        };
        let Governor { patience, stop, .. } = &self.governor;
        Place::take(road, tokens, *patience, stop).await
    }
}

impl Governed<dyn Embedder> {
    async fn embed_governed(
        &self,
        texts: &[&str],
        task: EmbeddingTask,
    ) -> Result<Embeddings, ProviderError> {
        let name = self.inner.name();
        let (provider, model) = name.split_once('/').unwrap_or((name, name));
        let road = self.governor.road(provider, &self.key, model);
        let estimate = || texts.iter().map(|text| estimate_tokens(text)).sum();
        let place = self.take(road, estimate).await?;
        let made = self.inner.embed(texts, task).await;
        place.settle(made.as_ref().map(|made| made.tokens)).await;
        made
    }
}

impl Embedder for Governed<dyn Embedder> {
    fn name(&self) -> &str {
        self.inner.name()
    }

    fn batch_size(&self) -> usize {
        self.inner.batch_size()
    }

    fn embed<'a>(
        &'a self,
        texts: &'a [&'a str],
        task: EmbeddingTask,
    ) -> PortFuture<'a, Result<Embeddings, ProviderError>> {
        Box::pin(self.embed_governed(texts, task))
    }
}

impl Governed<dyn Provider> {
    async fn enter(&self, request: &Request) -> Result<Place, ProviderError> {
        let road = self
            .governor
            .road(self.inner.name(), &self.key, &request.model);
        self.take(road, || estimate(request)).await
    }
}

impl Provider for Governed<dyn Provider> {
    fn name(&self) -> &'static str {
        self.inner.name()
    }

    fn generate<'a>(
        &'a self,
        request: &'a Request,
    ) -> PortFuture<'a, Result<Reply, ProviderError>> {
        Box::pin(async move {
            let place = self.enter(request).await?;
            let reply = self.inner.generate(request).await;
            place.settle(reply.as_ref().map(used)).await;
            reply
        })
    }

    fn stream<'a>(&'a self, request: &'a Request) -> PortFuture<'a, Result<Events, ProviderError>> {
        Box::pin(async move {
            let place = self.enter(request).await?;
            match self.inner.stream(request).await {
                Ok(events) => Ok(held(events, place)),
                Err(error) => {
                    place.settle(Err(&error)).await;
                    Err(error)
                }
            }
        })
    }

    /// Asked by a person about a key, of another quota than the calls: let through.
    fn check(&self) -> PortFuture<'_, Result<(), ProviderError>> {
        self.inner.check()
    }
}

/// The events, with the place of their call until the last of them or until they are dropped.
fn held(events: Events, place: Place) -> Events {
    let held = stream::unfold(
        (events, Some(place)),
        |(mut events, mut place)| async move {
            let event = events.next().await?;
            match (&event, place.take_if(|_| ends(&event))) {
                (Ok(Event::End(reply)), Some(place)) if reply.finish == Finish::Cut => {
                    place.broke(used(reply)).await;
                }
                (Ok(Event::End(reply)), Some(place)) => place.settle(Ok(used(reply))).await,
                (Err(error), Some(place)) => place.settle(Err(error)).await,
                _ => {}
            }
            Some((event, (events, place)))
        },
    );
    held.boxed()
}

fn ends(event: &Result<Event, ProviderError>) -> bool {
    !matches!(event, Ok(Event::Text(_)))
}

fn used(reply: &Reply) -> u64 {
    reply.usage.input + reply.usage.output
}

fn estimate(request: &Request) -> usize {
    let said = request.turns.iter().flat_map(|turn| &turn.parts);
    let words = said.map(|part| match part {
        Part::Text(text) => estimate_tokens(text),
        // What providers take for a picture of ordinary size.
        Part::Image(_) => 1_000,
    });
    words.sum::<usize>() + request.system.as_deref().map_or(0, estimate_tokens)
}

#[cfg(test)]
mod tests;
