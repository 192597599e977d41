//! Where calls may go whose address a company chose: not into the networks that this installation
//! stands in. The address is checked when it is stored and before each call; what a name resolves
//! to is checked when the connection is made, so that a name that changes its mind gains nothing.

use std::{
    fmt, io,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    sync::Arc,
    time::Duration,
};

use reqwest::{
    Client,
    dns::{Addrs, Name, Resolve, Resolving},
};
use url::{Host, Url};

/// Which private addresses may be called all the same.
#[derive(Debug, Clone, Default, clap::Args)]
#[group(skip)]
pub struct ReachConfig {
    /// Hosts in private networks that companies may have called, separated by commas: names or
    /// addresses as they stand in URLs, such as `ollama` or `10.0.0.5`; `*` allows all.
    #[arg(long, env = "ALLOWED_PRIVATE_HOSTS", value_delimiter = ',')]
    pub allowed_private_hosts: Vec<String>,
}

impl ReachConfig {
    /// Forgets hosts that were given empty.
    pub fn drop_blanks(&mut self) {
        self.allowed_private_hosts
            .retain(|host| !host.trim().is_empty());
    }
}

/// Why an address is not called.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ReachError {
    /// It is no address that paths can be put behind.
    #[error(
        "must be an address such as https://models.example.com/v1, without user, query or fragment"
    )]
    Form,
    /// It is sent in the open.
    #[error("must start with https:// (plain http is for hosts in ALLOWED_PRIVATE_HOSTS)")]
    Plain,
    /// It leads into a private network.
    #[error(
        "leads into a private network; an operator may allow the host in ALLOWED_PRIVATE_HOSTS"
    )]
    Private,
}

/// Decides where calls may go.
#[derive(Debug, Clone, Default)]
pub struct Reach {
    allowed: Arc<[String]>,
    names: Names,
}

/// Says which addresses a name has.
type Lookup = Arc<dyn Fn(&str) -> Vec<IpAddr> + Send + Sync>;

/// Who is asked for names: the machine's resolver, or a test's own.
#[derive(Clone, Default)]
struct Names(Option<Lookup>);

impl fmt::Debug for Names {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        to.write_str("Names")
    }
}

impl Names {
    async fn find(&self, name: &str) -> io::Result<Vec<IpAddr>> {
        if let Some(lookup) = &self.0 {
            return Ok(lookup(name));
        }
        let found = tokio::net::lookup_host((name, 0)).await?;
        Ok(found.map(|address| address.ip()).collect())
    }
}

impl Reach {
    /// What this configuration allows.
    pub fn new(config: &ReachConfig) -> Self {
        let hosts = config.allowed_private_hosts.iter();
        Self {
            allowed: hosts.map(|host| bare(host)).collect(),
            names: Names::default(),
        }
    }

    /// The same, with names that have the addresses which the closure says.
    #[must_use]
    pub fn asking(self, lookup: impl Fn(&str) -> Vec<IpAddr> + Send + Sync + 'static) -> Self {
        Self {
            names: Names(Some(Arc::new(lookup))),
            ..self
        }
    }

    /// Whether calls may go to this address, as far as it can be told without asking for the name.
    pub fn check(&self, address: &Url) -> Result<(), ReachError> {
        let plain = matches!(address.scheme(), "http" | "https")
            && address.username().is_empty()
            && address.password().is_none()
            && address.query().is_none()
            && address.fragment().is_none();
        let host = address.host().filter(|_| plain).ok_or(ReachError::Form)?;
        if self.allows(&host.to_string()) {
            return Ok(());
        }
        let is_private = match host {
            Host::Domain(name) => is_local_name(name),
            Host::Ipv4(ip) => is_private(ip.into()),
            Host::Ipv6(ip) => is_private(ip.into()),
        };
        if is_private {
            return Err(ReachError::Private);
        }
        if address.scheme() == "http" {
            return Err(ReachError::Plain);
        }
        Ok(())
    }

    /// A client whose calls end within `timeout` and connect to no private address. Check each
    /// address first: one that is written in figures is not resolved, so this does not see it.
    pub fn client(&self, timeout: Duration) -> reqwest::Result<Client> {
        super::builder(timeout)
            .dns_resolver(Arc::new(Guarded(self.clone())))
            .build()
    }

    fn allows(&self, host: &str) -> bool {
        let host = bare(host);
        self.allowed
            .iter()
            .any(|allowed| allowed == "*" || *allowed == host)
    }
}

/// A host without the brackets of IPv6 and the dot at the end.
fn bare(host: &str) -> String {
    let host = host.trim().trim_start_matches('[').trim_end_matches(']');
    host.trim_end_matches('.').to_ascii_lowercase()
}

/// Names that by agreement lead nowhere outside.
fn is_local_name(name: &str) -> bool {
    let name = bare(name);
    let last = name.rsplit('.').next().unwrap_or_default();
    !name.contains('.')
        || matches!(
            last,
            "localhost" | "local" | "internal" | "lan" | "home" | "corp" | "arpa"
        )
}

/// Whether an address is not one of the public Internet: its own machine, its own network, shared,
/// reserved, documentation, or one that carries such an address inside.
pub fn is_private(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(ip) => is_private_v4(ip),
        IpAddr::V6(ip) => embedded(ip).map_or_else(|| is_private_v6(ip), is_private_v4),
    }
}

/// The IPv4 address that translation or tunnelling finds in an IPv6 address: mapped, compatible,
/// NAT64, 6to4.
fn embedded(ip: Ipv6Addr) -> Option<Ipv4Addr> {
    let v4 = |high: u16, low: u16| {
        let ([a, b], [c, d]) = (high.to_be_bytes(), low.to_be_bytes());
        Some(Ipv4Addr::new(a, b, c, d))
    };
    match ip.segments() {
        [0, 0, 0, 0, 0, 0 | 0xFFFF, a, b] if a != 0 => v4(a, b),
        [0x64, 0xFF9B, 0, 0, 0, 0, a, b] | [0x2002, a, b, ..] => v4(a, b),
        _ => None,
    }
}

fn is_private_v4(ip: Ipv4Addr) -> bool {
    let [a, b, c, _] = ip.octets();
    ip.is_private()
        || ip.is_loopback()
        || ip.is_link_local()
        || ip.is_multicast()
        || ip.is_documentation()
        || a == 0
        || a >= 240
        || (a == 100 && (64..128).contains(&b))
        || (a == 198 && matches!(b, 18 | 19))
        || (a == 192 && b == 0 && c == 0)
        || (a == 192 && b == 88 && c == 99)
}

fn is_private_v6(ip: Ipv6Addr) -> bool {
    // Only 2000::/3 is given out; of it, documentation, Teredo and benchmarking are not called.
    let [first, second, ..] = ip.segments();
    first & 0xE000 != 0x2000
        || (first == 0x2001 && (second < 0x200 || second == 0xDB8))
        || first == 0x3FFF
}

/// Resolves names and leaves out what is private, unless the name is allowed.
struct Guarded(Reach);

impl Resolve for Guarded {
    fn resolve(&self, name: Name) -> Resolving {
        let allowed = self.0.allows(name.as_str());
        let names = self.0.names.clone();
        Box::pin(async move {
            let found = names.find(name.as_str()).await?.into_iter();
            let reachable: Vec<SocketAddr> = found
                .filter(|address| allowed || !is_private(*address))
                .map(|address| SocketAddr::new(address, 0))
                .collect();
            if reachable.is_empty() {
                return Err(ReachError::Private.into());
            }
            Ok(Box::new(reachable.into_iter()) as Addrs)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reach(allowed: &[&str]) -> Reach {
        Reach::new(&ReachConfig {
            allowed_private_hosts: allowed.iter().map(ToString::to_string).collect(),
        })
    }

    fn check(reach: &Reach, address: &str) -> Result<(), ReachError> {
        reach.check(&address.parse().expect("a URL"))
    }

    #[test]
    fn a_public_address_is_called() {
        for address in [
            "https://api.example.com/v1",
            "https://8.8.8.8/",
            "https://[2606:4700::1111]:8443/v1",
        ] {
            assert_eq!(check(&reach(&[]), address), Ok(()), "{address}");
        }
    }

    #[test]
    fn a_private_one_is_not_however_it_is_written() {
        for host in [
            "127.0.0.1",
            "localhost",
            "LOCALHOST.",
            "10.1.2.3",
            "172.16.0.1",
            "172.31.255.255",
            "192.168.1.1",
            "169.254.169.254",
            "100.64.0.1",
            "0.0.0.0",
            "0",
            "2130706433",
            "0x7f000001",
            "017700000001",
            "127.1",
            "[::1]",
            "[::]",
            "[fe80::1]",
            "[fd00::1]",
            "[::ffff:127.0.0.1]",
            "[::ffff:169.254.169.254]",
            "[64:ff9b::a00:1]",
            "[2002:a00:1::]",
            "[::7f00:1]",
            "[2001:db8::1]",
            "[ff02::1]",
            "255.255.255.255",
            "198.18.0.1",
            "postgres",
            "metadata.google.internal",
            "printer.local",
            "192.0.2.1",
        ] {
            let address = format!("https://{host}/v1");
            assert_eq!(
                check(&reach(&[]), &address),
                Err(ReachError::Private),
                "{host}"
            );
        }
    }

    #[test]
    fn an_operator_allows_hosts_by_name() {
        let reach = reach(&["ollama", "10.0.0.5", "[fd00::1]"]);
        for address in [
            "http://ollama:11434/v1",
            "http://10.0.0.5/",
            "https://[fd00::1]/",
        ] {
            assert_eq!(check(&reach, address), Ok(()), "{address}");
        }
        assert_eq!(check(&reach, "http://10.0.0.6/"), Err(ReachError::Private));
        assert_eq!(check(&self::reach(&["*"]), "http://10.0.0.6/"), Ok(()));
    }

    #[test]
    fn keys_do_not_travel_in_the_open_nor_in_the_address() {
        let reach = reach(&[]);
        assert_eq!(
            check(&reach, "http://api.example.com/"),
            Err(ReachError::Plain)
        );
        for address in [
            "https://user@api.example.com/",
            "https://:word@api.example.com/",
            "https://api.example.com/?key=x",
            "https://api.example.com/#x",
            "ftp://api.example.com/",
            "file:///etc/passwd",
            "data:text/plain,x",
        ] {
            assert_eq!(check(&reach, address), Err(ReachError::Form), "{address}");
        }
    }

    #[tokio::test]
    async fn a_name_that_leads_inside_is_not_connected_to() {
        let name = || "localhost".parse().expect("a name");
        assert!(Guarded(reach(&[])).resolve(name()).await.is_err());
        assert!(Guarded(reach(&["localhost"])).resolve(name()).await.is_ok());
    }

    #[tokio::test]
    async fn of_several_addresses_the_private_ones_are_left_out() {
        let both =
            ["10.0.0.1", "8.8.8.8", "::ffff:127.0.0.1"].map(|ip| ip.parse().expect("an address"));
        let reach = reach(&[]).asking(move |_| both.into());
        let found = Guarded(reach).resolve("two.example.com".parse().expect("a name"));
        let found: Vec<_> = found
            .await
            .expect("one")
            .map(|address| address.ip())
            .collect();
        assert_eq!(found, [both[1]]);
    }
}
