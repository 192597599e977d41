//! A provider under a company's key, which may be paused at any moment: it is asked before each call, by
//! whoever made the call and however long they have had the provider.

use std::sync::Arc;

use domain::{
    models::ProviderKeyId,
    providers::{
        KeyPauses, PortFuture, ProviderError,
        generate::{Events, Provider, Reply, Request},
    },
};

/// The same port, closed while its key is paused.
pub(crate) struct Watched {
    inner: Arc<dyn Provider>,
    pauses: Arc<dyn KeyPauses>,
    key: ProviderKeyId,
}

impl Watched {
    pub(crate) fn new(
        inner: Arc<dyn Provider>,
        pauses: Arc<dyn KeyPauses>,
        key: ProviderKeyId,
    ) -> Self {
        Self { inner, pauses, key }
    }
}

impl Provider for Watched {
    fn name(&self) -> &'static str {
        self.inner.name()
    }

    fn generate<'a>(
        &'a self,
        request: &'a Request,
    ) -> PortFuture<'a, Result<Reply, ProviderError>> {
        Box::pin(async move {
            self.pauses.ask(self.key).await?;
            self.inner.generate(request).await
        })
    }

    fn stream<'a>(&'a self, request: &'a Request) -> PortFuture<'a, Result<Events, ProviderError>> {
        Box::pin(async move {
            self.pauses.ask(self.key).await?;
            self.inner.stream(request).await
        })
    }

    fn check(&self) -> PortFuture<'_, Result<(), ProviderError>> {
        Box::pin(async move {
            self.pauses.ask(self.key).await?;
            self.inner.check().await
        })
    }
}
