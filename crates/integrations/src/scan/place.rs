//! Where a scanner is, in the words of a setting.

use std::{path::PathBuf, str::FromStr};

use url::Url;

/// What is done about malware.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Scanning {
    /// Nobody said.
    Unset,
    /// Nothing, on purpose.
    Off,
    /// The clamd at this place is asked.
    By(Place),
}

/// Where a clamd listens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// On a port of a host.
    Tcp(String, u16),
    /// On a socket of this machine.
    Unix(PathBuf),
}

impl FromStr for Scanning {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        match text.trim() {
            "" => return Ok(Self::Unset),
            "off" => return Ok(Self::Off),
            _ => {}
        }
        let url = Url::parse(text.trim()).ok();
        let place = url.and_then(|url| match (url.scheme(), url.host_str(), url.port()) {
            ("tcp", Some(host), Some(port)) if matches!(url.path(), "" | "/") => {
                Some(Place::Tcp(host.trim_matches(['[', ']']).to_owned(), port))
            }
            ("unix", None, None) if url.path().len() > 1 => {
                // As it was written: a URL would have spaces in another spelling.
                let path = text.trim().strip_prefix("unix://")?;
                Some(Place::Unix(PathBuf::from(path)))
            }
            _ => None,
        });
        place.map(Self::By).ok_or_else(|| {
            "must be tcp://host:port, unix:///path of a clamd's socket, or off".to_owned()
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scanner_is_named_by_host_and_port_or_by_its_socket() {
        let named = |text: &str| text.parse::<Scanning>();
        let tcp = |host: &str, port| Ok(Scanning::By(Place::Tcp(host.to_owned(), port)));
        assert_eq!(named("tcp://clamav:3310"), tcp("clamav", 3310));
        assert_eq!(named("tcp://[::1]:3310/"), tcp("::1", 3310));
        let socket = Place::Unix(PathBuf::from("/run/clamd.ctl"));
        assert_eq!(named("unix:///run/clamd.ctl"), Ok(Scanning::By(socket)));
        assert_eq!(named("off"), Ok(Scanning::Off));
        assert_eq!(named(" "), Ok(Scanning::Unset));
    }

    #[test]
    fn what_names_no_scanner_is_refused() {
        for text in [
            "on",
            "clamav:3310",
            "tcp://clamav",
            "tcp://clamav:3310/scan",
            "http://clamav:3310",
            "unix://",
            "unix://host/run/clamd.ctl",
        ] {
            assert!(text.parse::<Scanning>().is_err(), "{text}");
        }
    }
}
