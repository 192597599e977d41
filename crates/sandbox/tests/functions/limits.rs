//! Functions that want too much: each ends alone, in time, and with the right sentence.

use std::time::{Duration, Instant};

use futures::{StreamExt, future::join_all, stream};
use serde_json::json;

use super::support::{CONFIG, HURRIED, Tenant, kind, sandbox};
use sandbox::{CallError, SandboxConfig};

/// As many functions are hostile at a time.
const AT_ONCE: u16 = 4;

/// Each function of a list meets its limit, while a colleague's and a stranger's calls go on as if nothing was. A line is
/// the kinds of error that may come of it, as the machine has it, and a body.
async fn each_meets(config: &SandboxConfig, lines: &str) {
    let sandbox = sandbox(&SandboxConfig {
        function_processes: AT_ONCE + 2,
        ..*config
    });
    let (hostile, stranger) = (Tenant::of(&sandbox), Tenant::of(&sandbox));
    let lines = lines.lines().filter(|line| !line.starts_with('#'));
    let ended = stream::iter(lines.map(|line| meets(config, &hostile, &stranger, line)));
    let ended = ended.buffer_unordered(AT_ONCE.into());
    let odd: Vec<String> = ended.filter_map(async |odd| odd).collect().await;
    assert!(odd.is_empty(), "{}", odd.join("\n"));
}

/// What is odd about the end of one of them.
async fn meets(
    config: &SandboxConfig,
    hostile: &Tenant,
    stranger: &Tenant,
    line: &str,
) -> Option<String> {
    let (kinds, body) = line.split_once("  ").expect("kinds and a body");
    let longest = 3 * Duration::from_millis(config.function_millis.into()) + Duration::from_secs(3);
    let began = Instant::now();
    let (ended, colleagues, strangers) =
        tokio::join!(hostile.run(body), friendly(hostile), friendly(stranger));
    let (took, late) = (began.elapsed(), began.elapsed() > longest);
    for (number, made) in (1..).zip(colleagues).chain((1..).zip(strangers)) {
        assert_eq!(made.expect("a friendly call"), number, "beside {body}");
    }
    let fits = ended
        .as_ref()
        .is_err_and(|error| kinds.split(',').any(|fits| fits == kind(error)));
    (late || !fits).then(|| format!("{body}: {ended:?} after {took:?}"))
}

/// Calls that mean no harm.
async fn friendly(tenant: &Tenant) -> Vec<Result<serde_json::Value, CallError>> {
    let calls = (0..5).map(|number| async move {
        let body = format!("return inputs.a + {number}");
        tenant.apply(&body, json!({"a": 1})).await
    });
    join_all(calls).await
}

#[tokio::test]
async fn functions_without_end_are_ended() {
    each_meets(&HURRIED, include_str!("../bodies/endless.txt")).await;
}

#[tokio::test]
async fn regular_expressions_without_end_are_ended() {
    each_meets(&HURRIED, include_str!("../bodies/regular_expressions.txt")).await;
}

#[tokio::test]
async fn built_ins_that_never_look_at_the_clock_are_ended() {
    each_meets(&HURRIED, include_str!("../bodies/built_ins.txt")).await;
}

#[tokio::test]
async fn functions_that_hoard_are_ended() {
    // With enough time to get at all that memory on a busy machine.
    let patient = SandboxConfig {
        function_millis: 10_000,
        ..CONFIG
    };
    each_meets(&patient, include_str!("../bodies/hoards.txt")).await;
}

#[tokio::test]
async fn functions_that_descend_are_ended() {
    each_meets(&CONFIG, include_str!("../bodies/descents.txt")).await;
}

#[tokio::test]
async fn bodies_that_are_hard_to_read_are_ended() {
    let tenant = Tenant::of(&sandbox(&CONFIG));
    for body in [
        "(".repeat(100_000),
        "[".repeat(100_000),
        "{".repeat(100_000),
        "a=>".repeat(50_000),
        "!".repeat(100_000),
        "`${".repeat(50_000),
        format!("return /{}/", "(".repeat(100_000)),
        format!(
            "return /{}a{}/",
            "(?:".repeat(20_000),
            "){1,9}".repeat(20_000)
        ),
        format!("return new RegExp('{}')", "[".repeat(100_000)),
        "if(1)".repeat(40_000),
        "x?".repeat(100_000),
        "f(".repeat(100_000),
        "class A{x=".repeat(20_000),
    ] {
        let shown = &body[..20];
        let error = tenant.run(&body).await.expect_err(shown);
        let named = matches!(
            error,
            CallError::Syntax { .. }
                | CallError::Stack
                | CallError::Memory { .. }
                | CallError::Time { .. }
                | CallError::Threw { .. }
        );
        assert!(named, "{shown}…: {error:?}");
    }
    assert_eq!(tenant.run("return 1").await.expect("a result"), 1);
}

#[tokio::test]
async fn a_function_that_catches_a_limit_of_memory_or_stack_may_go_on() {
    let tenant = Tenant::of(&sandbox(&CONFIG));
    for body in [
        "try { const a = []; for (;;) a.push({}) } catch { return 1 }",
        "try { (function f() { f() })() } catch { return 1 }",
    ] {
        assert_eq!(tenant.run(body).await.expect(body), 1);
    }
}
