//! Which site an address leads to. The ids of issues are of a site: those of two are never stored under one
//! tracker.

/// Whether two addresses lead to one site: the host and its port tell, as they are written. Under which
/// path it is and whether it is reached by TLS may change.
pub fn is_same_site(one: &str, other: &str) -> bool {
    host(one).eq_ignore_ascii_case(host(other))
}

/// Host and port of an address without a user.
fn host(address: &str) -> &str {
    let (_, rest) = address.split_once("://").unwrap_or(("", address));
    rest.split(['/', '?', '#']).next().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_site_is_known_by_its_host_whatever_stands_around_it() {
        let site = "https://ducks.example.com/jira";
        for same in [
            "https://ducks.example.com",
            "http://DUCKS.example.com/tracker",
            "https://ducks.example.com?x=/",
        ] {
            assert!(is_same_site(site, same), "{same}");
        }
        for other in [
            "https://geese.example.com/jira",
            "https://ducks.example.com:8443/jira",
            "https://example.com/ducks.example.com",
            "https://ducks.example.com.example.org",
        ] {
            assert!(!is_same_site(site, other), "{other}");
        }
    }
}
