//! A caller of the API, and the answers it gets.

use reqwest::{Method, StatusCode, header::HeaderMap};
use serde::Serialize;
use serde_json::Value;

use super::secrets;

/// Somebody who calls the API.
#[derive(Clone)]
pub struct Client {
    http: reqwest::Client,
    url: String,
    token: Option<String>,
    headers: Vec<(String, String)>,
    /// What the sign-in answered: tokens and user.
    pub signed_in: Value,
}

impl Client {
    /// Somebody who is not signed in.
    pub fn new(url: &str) -> Self {
        Self {
            http: reqwest::Client::new(),
            url: url.to_owned(),
            token: None,
            headers: Vec::new(),
            signed_in: Value::Null,
        }
    }

    /// The same, signed in as the answer of a sign-in says.
    #[must_use]
    pub fn signed_in(&self, answer: &Value) -> Self {
        let token = answer["accessToken"].as_str().expect("an access token");
        Self {
            signed_in: answer.clone(),
            ..self.bearing(token)
        }
    }

    /// The same with another Bearer: an access token or an API key.
    #[must_use]
    pub fn bearing(&self, token: &str) -> Self {
        Self {
            token: Some(token.to_owned()),
            ..self.clone()
        }
    }

    /// The same at another server.
    #[must_use]
    pub fn at(&self, url: &str) -> Self {
        Self {
            url: url.to_owned(),
            ..self.clone()
        }
    }

    /// The same, sending this header with every request.
    #[must_use]
    pub fn with(&self, name: &str, value: &str) -> Self {
        let mut client = self.clone();
        client.headers.push((name.to_owned(), value.to_owned()));
        client
    }

    /// The id of who signed in.
    pub fn id(&self) -> &str {
        self.signed_in["user"]["id"].as_str().expect("an id")
    }

    /// The address of who signed in.
    pub fn email(&self) -> &str {
        self.signed_in["user"]["email"]
            .as_str()
            .expect("an address")
    }

    /// The refresh token of the sign-in.
    pub fn refresh_token(&self) -> &str {
        self.signed_in["refreshToken"]
            .as_str()
            .expect("a refresh token")
    }

    /// A request to be completed with `send`.
    pub fn request(&self, method: Method, path: &str) -> reqwest::RequestBuilder {
        let mut request = self.http.request(method, format!("{}{path}", self.url));
        for (name, value) in &self.headers {
            request = request.header(name, value);
        }
        match &self.token {
            Some(token) => request.bearer_auth(token),
            None => request,
        }
    }

    /// Reads.
    pub async fn get(&self, path: &str) -> Reply {
        Reply::to(self.request(Method::GET, path)).await
    }

    /// Creates or starts something.
    pub async fn post(&self, path: &str, body: &(impl Serialize + Sync)) -> Reply {
        secrets::sent(path, body);
        Reply::to(self.request(Method::POST, path).json(body)).await
    }

    /// Uploads a file as a form, with further fields.
    pub async fn upload(
        &self,
        path: &str,
        name: &str,
        bytes: &[u8],
        fields: &[(&str, &str)],
    ) -> Reply {
        let part = reqwest::multipart::Part::bytes(bytes.to_vec()).file_name(name.to_owned());
        let mut form = reqwest::multipart::Form::new().part("file", part);
        for (field, value) in fields {
            form = form.text((*field).to_owned(), (*value).to_owned());
        }
        Reply::to(self.request(Method::POST, path).multipart(form)).await
    }

    /// Starts something that needs no body.
    pub async fn post_empty(&self, path: &str) -> Reply {
        Reply::to(self.request(Method::POST, path)).await
    }

    /// Replaces.
    pub async fn put(&self, path: &str, body: &(impl Serialize + Sync)) -> Reply {
        secrets::sent(path, body);
        Reply::to(self.request(Method::PUT, path).json(body)).await
    }

    /// Changes.
    pub async fn patch(&self, path: &str, body: &(impl Serialize + Sync)) -> Reply {
        secrets::sent(path, body);
        Reply::to(self.request(Method::PATCH, path).json(body)).await
    }

    /// Deletes.
    pub async fn delete(&self, path: &str) -> Reply {
        Reply::to(self.request(Method::DELETE, path)).await
    }
}

/// An answer, read to its end.
#[derive(Debug, Clone)]
pub struct Reply {
    /// The status.
    pub status: u16,
    /// The headers.
    pub headers: HeaderMap,
    /// The body.
    pub body: Vec<u8>,
}

impl Reply {
    /// Sends a request and reads its answer.
    pub async fn to(request: reqwest::RequestBuilder) -> Self {
        let answer = request.send().await.expect("the server answers");
        let (status, headers) = (answer.status(), answer.headers().clone());
        let url = answer.url().to_string();
        let body = answer.bytes().await.expect("a whole body").to_vec();
        secrets::answered(&url, &body);
        Self {
            status: StatusCode::as_u16(&status),
            headers,
            body,
        }
    }

    /// Fails unless the answer has this status; says what it was instead.
    #[track_caller]
    pub fn expect(&self, status: u16) -> &Self {
        assert_eq!(self.status, status, "{}", self.text());
        self
    }

    /// Fails unless the answer is a problem of this status and code, in the form all have.
    #[track_caller]
    pub fn expect_problem(&self, status: u16, code: &str) -> Value {
        self.expect(status);
        let problem = self.json();
        assert_eq!(
            self.header("content-type"),
            Some("application/problem+json")
        );
        assert_eq!(problem["code"], code, "{problem}");
        assert_eq!(problem["status"], status, "{problem}");
        assert_eq!(problem["message"], problem["detail"], "{problem}");
        assert_eq!(
            problem["requestId"].as_str(),
            self.header("x-request-id"),
            "{problem}"
        );
        for member in ["type", "title", "detail"] {
            assert!(
                problem[member]
                    .as_str()
                    .is_some_and(|text| !text.is_empty()),
                "{problem}"
            );
        }
        problem
    }

    /// The fields at fault, in order.
    #[track_caller]
    pub fn faulty_fields(&self) -> Vec<String> {
        let problem = self.json();
        let faults = problem["errors"]
            .as_array()
            .expect("a list of faults")
            .iter();
        let mut fields: Vec<String> = faults
            .map(|fault| fault["field"].as_str().expect("a field").to_owned())
            .collect();
        fields.sort();
        fields
    }

    /// The body as JSON.
    #[track_caller]
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|_| panic!("no JSON: {}", self.text()))
    }

    /// The body as text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// A header's value.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    /// The path of the next page, if the answer names one.
    pub fn next_page(&self) -> Option<&str> {
        self.header("link")?
            .strip_prefix('<')?
            .strip_suffix(">; rel=\"next\"")
    }
}
