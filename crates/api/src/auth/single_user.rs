//! An installation without sign-in, for a laptop: whoever reaches it is its one local user. Since
//! any page open in a browser can reach a local port, only requests that name this host and come
//! from no other site are let in.

use actix_web::{
    dev::ServiceRequest,
    http::header::{self, HeaderName},
};
use db::seeds::{LOCAL_COMPANY, LOCAL_USER};
use domain::{
    auth::{Via, Viewer},
    users::Role,
};

use crate::error::{ApiError, ApiResult, Code};

/// What a browser says of the page that asks.
const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// The local user, for a request that does come from this machine's user.
pub fn viewer(request: &ServiceRequest) -> ApiResult<Viewer> {
    let header = |name: HeaderName| {
        request
            .headers()
            .get(name)
            .and_then(|value| value.to_str().ok())
    };
    let host = header(header::HOST).unwrap_or_default();
    let origin = header(header::ORIGIN);
    let is_foreign_page = header(SEC_FETCH_SITE).is_some_and(|site| site == "cross-site");
    if !names_loopback(host) || is_foreign_page || origin.is_some_and(|origin| !is_local(origin)) {
        return Err(ApiError::new(
            Code::Forbidden,
            "Without sign-in only this machine is answered: call http://localhost.",
        ));
    }
    Ok(Viewer {
        user_id: LOCAL_USER,
        company_id: LOCAL_COMPANY,
        role: Role::Admin,
        via: Via::SingleUser,
    })
}

fn is_local(origin: &str) -> bool {
    origin
        .split_once("://")
        .is_some_and(|(_, host)| names_loopback(host))
}

/// Whether a host, with or without a port, is this machine by a name that no one else can point
/// somewhere else.
fn names_loopback(host: &str) -> bool {
    let name = match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        _ => host,
    };
    matches!(name, "localhost" | "127.0.0.1" | "[::1]")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_names_of_this_machine_are_local() {
        for host in [
            "localhost",
            "localhost:8080",
            "127.0.0.1:1",
            "[::1]",
            "[::1]:8080",
        ] {
            assert!(names_loopback(host), "{host}");
        }
        for host in [
            "",
            "example.com",
            "localhost.example.com",
            "127.0.0.1.example.com:80",
            "::1x",
        ] {
            assert!(!names_loopback(host), "{host}");
        }
        assert!(is_local("http://localhost:5173") && !is_local("https://example.com"));
        assert!(!is_local("null"));
    }
}
