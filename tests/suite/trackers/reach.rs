//! Addresses of trackers that lead where nobody is to be led: a company may name any, and what it
//! names must not become a call into the network in which this runs.

use std::{
    net::IpAddr,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use domain::trackers::{Ask, TrackerError, TrackerKind};
use integrations::{
    http::{Reach, ReachError},
    llm::Clock,
    trackers::{SetupError, Trackers},
};
use tests::fakes::stage::Cue;

use super::support::{AnyFake, allowing, auth, config, connection};

const EVERYTHING: Ask = Ask {
    since: None,
    page: None,
};

fn reaching(reach: &Reach) -> Trackers {
    Trackers::new(&config("https://auth.example.com"), reach, Clock::system())
        .expect("valid settings")
}

#[test]
fn no_address_of_a_private_network_is_a_tracker_however_it_is_written() {
    let trackers = reaching(&Reach::default());
    for host in [
        "127.0.0.1",
        "localhost",
        "LOCALHOST.",
        "jira.localhost",
        "10.1.2.3",
        "172.16.0.1",
        "192.168.1.1",
        "169.254.169.254",
        "100.64.0.1",
        "0.0.0.0",
        "0",
        "2130706433",
        "0x7f000001",
        "0x7f.1",
        "017700000001",
        "127.1",
        "①②⑦.⓪.⓪.①",
        "[::1]",
        "[::]",
        "[fe80::1]",
        "[fd00::1]",
        "[::ffff:127.0.0.1]",
        "[::ffff:169.254.169.254]",
        "[64:ff9b::a9fe:a9fe]",
        "[2002:7f00:1::]",
        "metadata.google.internal",
        "postgres",
        "redis",
    ] {
        for kind in TrackerKind::ALL {
            let address = format!("https://{host}/");
            let refused = trackers.client(connection(*kind, &address, auth(*kind, "token")));
            let refused = refused.err().expect("refused");
            assert!(
                matches!(refused, SetupError::Address(ReachError::Private)),
                "{address}: {refused}"
            );
        }
    }
}

#[test]
fn a_token_does_not_travel_in_the_open_nor_in_the_address() {
    let trackers = reaching(&Reach::default());
    for (address, expected) in [
        ("http://jira.example.com/", ReachError::Plain),
        ("https://user:word@jira.example.com/", ReachError::Form),
        ("https://jira.example.com/?x=1", ReachError::Form),
        ("https://jira.example.com/#x", ReachError::Form),
        ("ftp://jira.example.com/", ReachError::Form),
        ("file:///etc/passwd", ReachError::Form),
    ] {
        let auth = auth(TrackerKind::JiraDc, "token");
        let refused = trackers.client(connection(TrackerKind::JiraDc, address, auth));
        let refused = refused.err().expect("refused");
        assert!(
            matches!(refused, SetupError::Address(why) if why == expected),
            "{address}: {refused}"
        );
    }
}

#[tokio::test]
async fn a_name_that_changes_its_mind_between_the_check_and_the_call_gains_nothing() {
    let fake = AnyFake::start(TrackerKind::JiraDc).await;
    let asked = Arc::new(AtomicUsize::new(0));
    for inside in [
        "127.0.0.1",
        "169.254.169.254",
        "::1",
        "::ffff:127.0.0.1",
        "10.0.0.1",
    ] {
        let inside: IpAddr = inside.parse().expect("an address");
        let count = asked.clone();
        let reach = Reach::default().asking(move |_| {
            count.fetch_add(1, Ordering::SeqCst);
            vec![inside]
        });
        let port = fake.stage().url.rsplit(':').next().expect("a port");
        let address = format!("https://jira.example.com:{port}/jira");
        let connection = connection(
            TrackerKind::JiraDc,
            &address,
            auth(TrackerKind::JiraDc, "token"),
        );
        let client = reaching(&reach)
            .client(connection)
            .expect("a name that may be public");
        let error = client.fetch_since(&EVERYTHING).await.expect_err("refused");
        assert!(
            matches!(error, TrackerError::Misconfigured(_)),
            "{inside}: {error}"
        );
        assert!(
            error.to_string().contains("private network"),
            "{inside}: {error}"
        );
    }
    assert_eq!((asked.load(Ordering::SeqCst), fake.stage().calls()), (5, 0));
}

#[tokio::test]
async fn an_operator_allows_a_name_inside_the_network() {
    let fake = AnyFake::start(TrackerKind::JiraDc).await;
    let reach = allowing(&["jira.corp"]).asking(|_| vec!["127.0.0.1".parse().expect("an address")]);
    let port = fake.stage().url.rsplit(':').next().expect("a port");
    let address = format!("http://jira.corp:{port}/jira");
    let connection = connection(
        TrackerKind::JiraDc,
        &address,
        auth(TrackerKind::JiraDc, "token"),
    );
    let client = reaching(&reach)
        .client(connection)
        .expect("an allowed name");
    client.fetch_since(&EVERYTHING).await.expect("a page");
}

#[tokio::test]
async fn no_redirect_is_followed_wherever_it_leads() {
    for kind in TrackerKind::ALL {
        let (fake, other) = (AnyFake::start(*kind).await, AnyFake::start(*kind).await);
        let client = fake.client();
        let metadata = "http://169.254.169.254/latest/meta-data/";
        for to in [
            metadata,
            "http://[::ffff:169.254.169.254]/",
            "//localhost/",
            other.address().as_str(),
        ] {
            for status in [301, 302, 303, 307, 308] {
                fake.stage()
                    .script([Cue::status(status).with("location", to)]);
                let error = client.fetch_since(&EVERYTHING).await.expect_err("refused");
                assert!(
                    matches!(error, TrackerError::Misconfigured(_)),
                    "{kind}: {error}"
                );
            }
        }
        assert_eq!(other.stage().calls(), 0, "{kind}: no token went along");
    }
}
