//! From where a request comes. Behind proxies the caller's address is what the outermost trusted
//! one wrote into X-Forwarded-For; what stands to the left of that anybody may have invented.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use actix_web::dev::ServiceRequest;

/// The caller's address.
pub fn of(request: &ServiceRequest, trusted_proxies: usize) -> IpAddr {
    let peer = request
        .peer_addr()
        .map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |peer| peer.ip());
    let forwarded = request
        .headers()
        .get_all("x-forwarded-for")
        .filter_map(|value| value.to_str().ok())
        .collect::<Vec<_>>()
        .join(",");
    behind_proxies(&forwarded, trusted_proxies)
        .unwrap_or(peer)
        .to_canonical()
}

/// The entry that the outermost of so many trusted proxies wrote; the first one, if a caller
/// reached an inner proxy directly.
fn behind_proxies(forwarded: &str, trusted: usize) -> Option<IpAddr> {
    let from_the_right: Vec<&str> = forwarded.rsplit(',').map(str::trim).take(trusted).collect();
    parse(from_the_right.last()?)
}

/// An address as proxies write it: bare, with a port, or in brackets.
fn parse(text: &str) -> Option<IpAddr> {
    let bare = text.trim_start_matches('[').trim_end_matches(']');
    bare.parse()
        .ok()
        .or_else(|| text.parse::<SocketAddr>().ok().map(|address| address.ip()))
}

/// What is counted as one caller: an IPv4 address, or the /64 network that one IPv6 household has.
pub fn subject(ip: &IpAddr) -> String {
    match ip {
        IpAddr::V4(ip) => ip.to_string(),
        IpAddr::V6(ip) => {
            let [a, b, c, d, ..] = ip.segments();
            format!("{}/64", Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(forwarded: &str, trusted: usize) -> Option<String> {
        behind_proxies(forwarded, trusted).map(|ip| ip.to_string())
    }

    #[test]
    fn only_what_trusted_proxies_wrote_is_believed() {
        let forwarded = "6.6.6.6, 1.2.3.4, 10.0.0.1";
        assert_eq!(named(forwarded, 0), None);
        assert_eq!(named(forwarded, 1).as_deref(), Some("10.0.0.1"));
        assert_eq!(named(forwarded, 2).as_deref(), Some("1.2.3.4"));
        assert_eq!(named("1.2.3.4", 2).as_deref(), Some("1.2.3.4"));
        assert_eq!(named("", 2), None);
        assert_eq!(named("unknown", 1), None);
    }

    #[test]
    fn ports_and_brackets_are_read_past() {
        assert_eq!(named("1.2.3.4:5678", 1).as_deref(), Some("1.2.3.4"));
        assert_eq!(
            named("[2001:db8::1]:443", 1).as_deref(),
            Some("2001:db8::1")
        );
        assert_eq!(named("[2001:db8::1]", 1).as_deref(), Some("2001:db8::1"));
    }

    #[test]
    fn a_network_of_ipv6_counts_as_one_caller() {
        let ip = |text: &str| text.parse().expect("an address");
        assert_eq!(
            subject(&ip("2001:db8:1:2:3:4:5:6")),
            subject(&ip("2001:db8:1:2::9"))
        );
        assert_ne!(
            subject(&ip("2001:db8:1:2::9")),
            subject(&ip("2001:db8:1:3::9"))
        );
        assert_eq!(subject(&ip("1.2.3.4")), "1.2.3.4");
    }
}
