//! Workers that are killed while they read a tracker: the real program, by `kill -9`.

use std::process::{Child, Command, Stdio};

use chrono::Duration;
use domain::trackers::TrackerKind;
use secrecy::ExposeSecret as _;
use tests::{
    fakes::{
        jira::{CLIENT_ID, CLIENT_SECRET},
        stage::Cue,
    },
    support::app::SEALING_KEY,
};

use super::{
    desk::{Desk, desk, until},
    sync::restless,
};

/// A worker's program. It is killed when dropped.
struct Program(Child);

impl Program {
    fn start(desk: &Desk) -> Self {
        let test = std::env::current_exe().expect("a test has a program");
        let folder = test
            .parent()
            .and_then(|deps| deps.parent())
            .expect("a target folder");
        let given = |secret: &secrecy::SecretString| secret.expose_secret().to_owned();
        let config = &desk.app.config;
        let child = Command::new(folder.join("worker"))
            .arg("run")
            .env("DATABASE_URL", given(&config.db.database_url))
            .env("REDIS_URL", given(&config.queue.redis_url))
            .env("REDIS_PREFIX", &config.queue.redis_prefix)
            .env("STORAGE_URL", config.storage.storage_url.as_str())
            .env("SEALING_KEYS", SEALING_KEY)
            .env("ALLOWED_PRIVATE_HOSTS", "127.0.0.1")
            .env("JIRA_CLIENT_ID", CLIENT_ID)
            .env("JIRA_CLIENT_SECRET", CLIENT_SECRET)
            .env("ATLASSIAN_AUTH_URL", &desk.fake.stage().url)
            .env("ATLASSIAN_API_URL", &desk.fake.stage().url)
            .env(
                "WORKER_KINDS",
                "trackers.sync,trackers.sweep,trackers.fetch",
            )
            .env("JOB_LEASE_SECONDS", "1")
            .env("JOB_LOST_AFTER_SECONDS", "1")
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn();
        Self(child.expect("build the programs first: cargo build --workspace --bins"))
    }

    /// `kill -9`.
    fn kill(&mut self) {
        self.0.kill().expect("it ran");
        self.0.wait().expect("it is gone");
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_issue_is_lost_when_workers_are_killed_while_issues_change() {
    let desk = desk(TrackerKind::Jira).await;
    {
        let mut world = desk.fake.shared().world();
        world.lag = Duration::minutes(4);
        world.populate("DEMO", 5000, Duration::seconds(37));
    }
    restless(&desk.fake, 60);
    let path = desk.connect().await;
    // Every call takes a while, so that workers die in the middle of one.
    let slow = Cue {
        delay_ms: 20,
        ..Cue::default()
    };
    desk.fake.stage().script((0..200).map(|_| slow.clone()));
    let asked = desk.admin.post_empty(&format!("{path}/sync")).await;
    let id = asked.expect(202).json()["syncId"].clone();
    for reached in [8, 20, 35] {
        let mut program = Program::start(&desk);
        until("the worker reads", async || {
            desk.fake.stage().calls() >= reached
        })
        .await;
        program.kill();
    }
    let program = Program::start(&desk);
    until("the round ends", async || {
        desk.round(&path, &id).await["state"] == "done"
    })
    .await;
    let first = desk.fake.stage().calls();
    let round = desk.round(&path, &id).await;
    eprintln!("{first} calls for 5000 issues under three kills: {round}");
    assert!(first <= 75, "{first} calls: it does not begin anew");
    desk.fake.shared().world().meanwhile(|_, _| ());
    desk.fake.shared().world().wait(Duration::minutes(10));
    let asked = desk.admin.post_empty(&format!("{path}/sync")).await;
    let id = asked.expect(202).json()["syncId"].clone();
    until("the next round ends", async || {
        desk.round(&path, &id).await["state"] == "done"
    })
    .await;
    let second = desk.fake.stage().calls() - first;
    eprintln!("{second} calls for what changed");
    assert!(second <= 25, "{second} calls for what changed");
    drop(program);
    let sweep = desk.sweep(&path).await;
    assert_eq!(
        sweep["stored"], 0,
        "nothing was lost or stale before it: {sweep}"
    );
    desk.has_everything("after three kills").await;
}
