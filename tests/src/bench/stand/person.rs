//! Somebody who uses the product on a stand.

use anyhow::Result;
use bytes::Bytes;
use reqwest::{Client, multipart};
use serde_json::Value;

use crate::bench::corpus;

/// Somebody who is signed in.
#[derive(Clone)]
pub struct Person {
    pub(super) client: Client,
    pub(super) url: String,
    pub(super) token: String,
    pub(super) email: String,
}

impl Person {
    /// Uploads a document.
    pub async fn upload(&self, file: &corpus::File) -> Result<()> {
        let part = multipart::Part::bytes(file.text.clone().into_bytes());
        let form = multipart::Form::new().part("file", part.file_name(file.name.clone()));
        let request = self
            .client
            .post(format!("{}/api/documents/upload", self.url));
        let answer = request
            .bearer_auth(&self.token)
            .multipart(form)
            .send()
            .await?;
        answer.error_for_status()?;
        Ok(())
    }

    /// Uploads a file to a path and reads the whole answer.
    pub async fn upload_to(&self, path: &str, file: corpus::File) -> Result<Value> {
        let part = multipart::Part::bytes(file.text.into_bytes()).file_name(file.name);
        let form = multipart::Form::new().part("file", part);
        let request = self.client.post(format!("{}{path}", self.url));
        let answer = request.bearer_auth(&self.token).multipart(form).send();
        Ok(answer.await?.error_for_status()?.json().await?)
    }

    /// Reads a whole answer.
    pub async fn get(&self, path: &str) -> Result<()> {
        let request = self.client.get(format!("{}{path}", self.url));
        let answer = request.bearer_auth(&self.token).send().await?;
        answer.error_for_status()?.bytes().await?;
        Ok(())
    }

    /// Reads a whole answer as text.
    pub async fn read(&self, path: &str) -> Result<String> {
        let request = self.client.get(format!("{}{path}", self.url));
        let answer = request.bearer_auth(&self.token).send().await?;
        Ok(answer.error_for_status()?.text().await?)
    }

    /// Reads a whole answer as it comes.
    pub async fn bytes(&self, path: &str) -> Result<Bytes> {
        let request = self.client.get(format!("{}{path}", self.url));
        let answer = request.bearer_auth(&self.token).send().await?;
        Ok(answer.error_for_status()?.bytes().await?)
    }

    /// Reads a page of a list, and gives where the next one is.
    pub async fn page(&self, path: &str) -> Result<Option<String>> {
        let request = self.client.get(format!("{}{path}", self.url));
        let answer = request.bearer_auth(&self.token).send().await?;
        let answer = answer.error_for_status()?;
        let link = answer
            .headers()
            .get("link")
            .map(|link| link.to_str().map(str::to_owned));
        answer.bytes().await?;
        let link = link.transpose()?.unwrap_or_default();
        let next = link.strip_prefix('<').and_then(|link| link.split_once('>'));
        Ok(next.map(|(next, _)| next.to_owned()))
    }

    /// The same person, asking another server.
    #[must_use]
    pub fn at(&self, url: String) -> Self {
        Self {
            url,
            ..self.clone()
        }
    }

    /// Puts JSON.
    pub async fn put(&self, path: &str, body: &Value) -> Result<()> {
        let request = self.client.put(format!("{}{path}", self.url)).json(body);
        let answer = request.bearer_auth(&self.token).send().await?;
        answer.error_for_status()?;
        Ok(())
    }

    /// Posts JSON and reads the whole answer.
    pub async fn post(&self, path: &str, body: &Value) -> Result<Value> {
        let request = self.client.post(format!("{}{path}", self.url)).json(body);
        let answer = request.bearer_auth(&self.token).send().await?;
        Ok(answer.error_for_status()?.json().await?)
    }
}
