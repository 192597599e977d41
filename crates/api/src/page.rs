//! Lists page by page: `?limit=` and an opaque `?cursor=`, answered by `Link: <…>; rel="next"`. A
//! cursor belongs to one company, path and filter; anywhere else it is refused.

use actix_web::{HttpRequest, HttpResponse, http::header};
use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use domain::{auth::Viewer, page::Page};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use sha2::{Digest, Sha256};

use crate::error::{ApiError, ApiResult, Code, FieldFault};

#[derive(Serialize, Deserialize)]
struct Token<K> {
    /// Where the page starts.
    k: K,
    /// Of what it is a page.
    of: String,
}

/// A list a viewer asked for: what its cursors belong to.
pub struct Listing<'a> {
    request: &'a HttpRequest,
    of: String,
}

impl<'a> Listing<'a> {
    /// The list of this request.
    pub fn new(request: &'a HttpRequest, viewer: &Viewer) -> Self {
        let mut digest = Sha256::new();
        digest.update(viewer.company_id.0);
        digest.update(request.path());
        for (name, value) in parameters(request) {
            digest.update(format!("\0{name}={value}"));
        }
        Self {
            request,
            of: hex::encode(&digest.finalize()[..8]),
        }
    }

    /// Where the page starts that the cursor names; `None` for the first.
    pub fn start<K: DeserializeOwned>(&self, cursor: Option<&str>) -> ApiResult<Option<K>> {
        let Some(cursor) = cursor else {
            return Ok(None);
        };
        BASE64_URL_SAFE_NO_PAD
            .decode(cursor)
            .ok()
            .and_then(|bytes| serde_json::from_slice::<Token<K>>(&bytes).ok())
            .filter(|token| token.of == self.of)
            .map(|token| Some(token.k))
            .ok_or_else(|| {
                let message = "is not of this list; start again without it".to_owned();
                ApiError::faults(
                    Code::InvalidQuery,
                    vec![FieldFault {
                        field: "cursor".into(),
                        message,
                    }],
                )
            })
    }

    /// The page as an answer, with a link to the next one where more may follow.
    pub fn answer<T: Serialize, K: Serialize>(&self, page: &Page<T, K>) -> HttpResponse {
        self.answer_with(page.next.as_ref(), &page.rows)
    }

    /// This body as an answer, with a link to the page that starts at `next`.
    pub fn answer_with<K: Serialize>(
        &self,
        next: Option<&K>,
        body: &impl Serialize,
    ) -> HttpResponse {
        let mut answer = HttpResponse::Ok();
        if let Some(key) = next {
            answer.insert_header((header::LINK, format!("<{}>; rel=\"next\"", self.next(key))));
        }
        answer.json(body)
    }

    fn next<K: Serialize>(&self, key: &K) -> String {
        let token = serde_json::to_vec(&Token {
            k: key,
            of: self.of.clone(),
        })
        .unwrap_or_default();
        let mut query = url::form_urlencoded::Serializer::new(String::new());
        for (name, value) in url::form_urlencoded::parse(self.request.query_string().as_bytes()) {
            if name != "cursor" {
                query.append_pair(&name, &value);
            }
        }
        query.append_pair("cursor", &BASE64_URL_SAFE_NO_PAD.encode(token));
        format!("{}?{}", self.request.path(), query.finish())
    }
}

/// The filter: every parameter that is no matter of paging, in one order.
fn parameters(request: &HttpRequest) -> Vec<(String, String)> {
    let mut list: Vec<_> = url::form_urlencoded::parse(request.query_string().as_bytes())
        .filter(|(name, _)| name != "cursor" && name != "limit")
        .map(|(name, value)| (name.into_owned(), value.into_owned()))
        .collect();
    list.sort();
    list
}
