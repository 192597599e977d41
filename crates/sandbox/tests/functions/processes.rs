//! The children: who shares them, what they may still do, and when they end.

use std::{
    collections::BTreeSet,
    io::Write,
    path::PathBuf,
    process::{Command, Stdio},
    time::Duration,
};

use futures::future::join_all;
use sandbox::{CallError, Sandbox, SandboxConfig};
use serde_json::json;
use uuid::Uuid;

use super::support::{CONFIG, HURRIED, Tenant};

/// A sandbox whose children can be found.
struct Marked {
    sandbox: Sandbox,
    mark: String,
}

impl Marked {
    fn new(config: &SandboxConfig) -> Self {
        let mark = Uuid::new_v4().to_string();
        let program = PathBuf::from(env!("CARGO_BIN_EXE_sandboxed"));
        Self {
            sandbox: Sandbox::new(program, &["--mark", &mark], config),
            mark,
        }
    }

    /// The children that live.
    fn children(&self) -> BTreeSet<u32> {
        children(&self.mark)
    }
}

/// The processes with this mark.
fn children(mark: &str) -> BTreeSet<u32> {
    let processes = std::fs::read_dir("/proc").expect("processes");
    let marked = |id: &u32| {
        std::fs::read_to_string(format!("/proc/{id}/cmdline")).is_ok_and(|line| line.contains(mark))
    };
    let ids = processes
        .flatten()
        .filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    ids.filter(marked).collect()
}

/// Waits until something is so; fails when it takes unreasonably long.
async fn until(what: &str, mut holds: impl FnMut() -> bool) {
    for _ in 0..1000 {
        if holds() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("never: {what}");
}

fn kill(id: u32) {
    let killed = Command::new("kill").args(["-9", &id.to_string()]).status();
    assert!(killed.expect("kill").success());
}

/// Whether nothing but its exit status is left: its command line is gone some moments before.
fn is_dead(id: u32) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{id}/stat")).unwrap_or_default();
    stat.rsplit_once(") ")
        .is_none_or(|(_, rest)| rest.starts_with('Z') || rest.starts_with('X'))
}

#[tokio::test]
async fn calls_of_one_tenant_share_a_child_and_other_tenants_never_do() {
    let marked = Marked::new(&SandboxConfig {
        function_processes: 2,
        ..CONFIG
    });
    let [first, second, third] = std::array::from_fn(|_| Tenant::of(&marked.sandbox));
    first.run("return 1").await.expect("a result");
    let own = marked.children();
    first.run("return 1").await.expect("a result");
    assert_eq!(marked.children(), own);
    second.run("return 1").await.expect("a result");
    let both = marked.children();
    assert!(both.len() == 2 && both.is_superset(&own), "{both:?}");
    third.run("return 1").await.expect("a result");
    until("the child that rested longest has made room", || {
        let left = marked.children();
        left.len() == 2 && left.is_disjoint(&own)
    })
    .await;
}

#[tokio::test]
async fn more_calls_than_children_wait_for_their_turn() {
    let marked = Marked::new(&SandboxConfig {
        function_processes: 2,
        ..CONFIG
    });
    let tenants: Vec<Tenant> = (0..3).map(|_| Tenant::of(&marked.sandbox)).collect();
    let calls = (0..30).map(|number| {
        let tenant = &tenants[number % 3];
        async move {
            tenant
                .run(&format!("return {number}"))
                .await
                .expect("a result")
        }
    });
    let made = join_all(calls).await;
    assert_eq!(
        made,
        (0..30).map(|number| json!(number)).collect::<Vec<_>>()
    );
    until("there are two", || marked.children().len() <= 2).await;
}

#[tokio::test]
async fn a_child_that_died_while_it_rested_is_replaced_unnoticed() {
    let marked = Marked::new(&CONFIG);
    let tenant = Tenant::of(&marked.sandbox);
    for _ in 0..3 {
        assert_eq!(tenant.run("return 1").await.expect("a result"), 1);
        let killed = marked.children();
        killed.iter().copied().for_each(kill);
        until("it is dead", || killed.iter().all(|id| is_dead(*id))).await;
    }
}

#[tokio::test]
async fn a_child_that_is_killed_during_a_call_fails_that_call_only() {
    let marked = Marked::new(&CONFIG);
    let tenant = Tenant::of(&marked.sandbox);
    tenant.run("return 1").await.expect("a result");
    let busy = tenant.run("for (;;);");
    let shot = async {
        let id = marked.children().pop_first().expect("a child");
        until("it computes", || ticks(id) > 5).await;
        kill(id);
    };
    let (ended, ()) = tokio::join!(busy, shot);
    let error = ended.expect_err("killed");
    assert!(matches!(error, CallError::Failed(_)), "{error:?}");
    assert!(error.to_string().contains("try again"), "{error}");
    assert_eq!(tenant.run("return 2").await.expect("a result"), 2);
}

/// The processor time of a process, in hundredths of a second.
fn ticks(id: u32) -> u64 {
    let stat = std::fs::read_to_string(format!("/proc/{id}/stat")).unwrap_or_default();
    let fields = stat.rsplit(')').next().unwrap_or_default();
    let user = fields.split_whitespace().nth(11);
    user.and_then(|user| user.parse().ok()).unwrap_or_default()
}

#[tokio::test]
async fn a_child_that_met_a_limit_serves_no_further_call() {
    let marked = Marked::new(&HURRIED);
    let tenant = Tenant::of(&marked.sandbox);
    for body in [
        "for (;;);",
        "(function f() { f() })()",
        "const a = []; for (;;) a.push('x'.repeat(1e6) + a.length)",
    ] {
        tenant.run("return 1").await.expect("a result");
        let before = marked.children();
        tenant.run(body).await.expect_err(body);
        tenant.run("return 1").await.expect("a result");
        until("the old one is gone", || {
            marked.children().is_disjoint(&before)
        })
        .await;
    }
    let before = marked.children();
    tenant.run("throw 1").await.expect_err("thrown");
    tenant.run("syntax error").await.expect_err("unreadable");
    assert_eq!(marked.children(), before);
}

#[tokio::test]
async fn after_a_thousand_calls_a_child_is_replaced() {
    let marked = Marked::new(&CONFIG);
    let tenant = Tenant::of(&marked.sandbox);
    tenant.run("return 1").await.expect("a result");
    let first = marked.children();
    for _ in 1..1000 {
        assert_eq!(tenant.run("return 1").await.expect("a result"), 1);
    }
    tenant.run("return 1").await.expect("a result");
    until("the first is gone", || {
        marked.children().is_disjoint(&first)
    })
    .await;
    assert_eq!(marked.children().len(), 1);
}

#[tokio::test]
async fn children_without_work_end() {
    let marked = Marked::new(&CONFIG);
    let tenant = Tenant::of(&marked.sandbox);
    tenant.run("return 1").await.expect("a result");
    assert_eq!(marked.children().len(), 1);
    tokio::time::pause();
    tokio::time::advance(Duration::from_secs(31)).await;
    tokio::time::resume();
    until("nobody rests", || marked.children().is_empty()).await;
    assert_eq!(tenant.run("return 2").await.expect("a result"), 2);
}

#[tokio::test]
async fn no_child_outlives_a_call_that_was_given_up_nor_the_sandbox() {
    let marked = Marked::new(&CONFIG);
    let tenant = Tenant::of(&marked.sandbox);
    let given_up = tokio::time::timeout(Duration::from_millis(300), tenant.run("for (;;);"));
    given_up.await.expect_err("it would take two seconds");
    until("the call's child is gone", || marked.children().is_empty()).await;
    tenant.run("return 1").await.expect("a result");
    let mark = marked.mark.clone();
    assert_eq!(children(&mark).len(), 1);
    drop((tenant, marked));
    until("no child is left", || children(&mark).is_empty()).await;
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_child_has_given_up_what_it_does_not_need() {
    let marked = Marked::new(&CONFIG);
    Tenant::of(&marked.sandbox)
        .run("return 1")
        .await
        .expect("a result");
    let id = marked.children().pop_first().expect("a child");
    let read =
        |what: &str| std::fs::read_to_string(format!("/proc/{id}/{what}")).expect("readable");
    assert_eq!(read("environ"), "TZ=UTC0\0");
    let limits = read("limits");
    for (limit, most) in [
        ("Max processes", "0"),
        ("Max open files", "3"),
        ("Max file size", "0"),
        ("Max core file size", "0"),
    ] {
        let line = limits.lines().find_map(|line| line.strip_prefix(limit));
        let values: Vec<&str> = line.expect(limit).split_whitespace().collect();
        assert_eq!(values[..2], [most, most], "{limit}");
    }
    assert!(
        !limits
            .lines()
            .any(|line| line.starts_with("Max address space") && line.contains("unlimited")),
        "{limits}"
    );
    // What Landlock asks for, too.
    let status = read("status");
    assert!(status.contains("NoNewPrivs:\t1"), "{status}");
    assert!(status.contains("Threads:\t1\n"), "{status}");
    let open = std::fs::read_dir(format!("/proc/{id}/fd")).expect("readable");
    assert_eq!(open.count(), 3);
}

#[test]
fn a_child_ends_with_its_parent_and_at_nonsense() {
    for (said, ends_well) in [
        (&b""[..], true),
        (b"\x04\0\0\0abcd", false),
        (b"\xff\xff\xff\xff", false),
        (b"\x01", false),
    ] {
        let mut child = Command::new(env!("CARGO_BIN_EXE_sandboxed"))
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .spawn()
            .expect("a child");
        child
            .stdin
            .take()
            .expect("a pipe")
            .write_all(said)
            .expect("written");
        assert_eq!(
            child.wait().expect("its end").success(),
            ends_well,
            "{said:?}"
        );
    }
}
