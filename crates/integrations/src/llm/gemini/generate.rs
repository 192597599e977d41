//! Answers in words and pictures: `generateContent` and its stream.

use domain::providers::{
    PortFuture, ProviderError,
    generate::{Events, Provider, Reply, Request},
};
use serde_json::Value;

use super::{Gemini, SERVER_TIMEOUT};
use crate::llm::call::Asked;

mod from_wire;
mod to_wire;

use from_wire::GeminiDraft;

impl Gemini {
    async fn reply(&self, request: &Request) -> Result<Reply, ProviderError> {
        let (body, asked) = Self::question(request)?;
        let answer = self.post(&request.model, "generateContent", body).await?;
        from_wire::whole(&answer, asked)
    }

    async fn replies(&self, request: &Request) -> Result<Events, ProviderError> {
        let (body, asked) = Self::question(request)?;
        let mut address = self.address(&request.model, "streamGenerateContent");
        address.set_query(Some("alt=sse"));
        let mut headers = self.headers();
        // It is the deadline of a whole answer; a stream may last.
        headers.remove(SERVER_TIMEOUT);
        let request = self.client.post(address).headers(headers).body(body);
        let response = self.patience.begin(request).await?;
        let response = response.map_err(|refused| self.refusal(&refused))?;
        self.patience
            .events(response, GeminiDraft::new(asked, self.clone()))
            .await
    }

    fn question(request: &Request) -> Result<(String, Asked), ProviderError> {
        let (body, not_applied): (Value, _) = to_wire::body(request);
        let body = body.to_string();
        Self::fits(&body)?;
        Ok((body, Asked::new(request, not_applied)))
    }
}

impl Provider for Gemini {
    fn name(&self) -> &'static str {
        "gemini"
    }

    fn generate<'a>(
        &'a self,
        request: &'a Request,
    ) -> PortFuture<'a, Result<Reply, ProviderError>> {
        Box::pin(self.reply(request))
    }

    fn stream<'a>(&'a self, request: &'a Request) -> PortFuture<'a, Result<Events, ProviderError>> {
        Box::pin(self.replies(request))
    }

    fn check(&self) -> PortFuture<'_, Result<(), ProviderError>> {
        Box::pin(self.list())
    }
}
