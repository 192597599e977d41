//! What is said of functions that fail.

use super::support::{CONFIG, Tenant, failure, sandbox, tenant};
use sandbox::CallError;

#[tokio::test]
async fn an_error_is_told_with_its_kind_and_its_line_in_the_body() {
    for (body, said, line) in [
        ("const a = 1;\n\nnull.x", "TypeError: ", 3),
        ("inputs.missing.name", "TypeError: ", 1),
        (
            "function f() {\n  throw new RangeError('too far')\n}\nf()",
            "RangeError: too far",
            2,
        ),
        ("result = 1", "ReferenceError: ", 1),
        (
            "// …\nreturn (async () => {\n await 1\n throw new Error('late')\n})()",
            "Error: late",
            4,
        ),
        // Whoever forges a place gets one that exists.
        (
            "const e = new Error('x');\ne.stack = 'function.js:999';\nthrow e",
            "Error: x",
            3,
        ),
    ] {
        match failure(body).await {
            CallError::Threw { message, line: at } => {
                assert!(message.starts_with(said), "{body}: {message}");
                assert_eq!(at, Some(line), "{body}: {message}");
            }
            other => panic!("{body}: {other:?}"),
        }
    }
}

#[tokio::test]
async fn a_syntax_error_is_told_with_its_line_and_nothing_runs() {
    for (body, line) in [
        ("const a = ;", Some(1)),
        ("const a = 1;\nreturn a +;", Some(2)),
        ("if (true) {\n return 1", Some(2)),
        ("return 1 }", Some(1)),
        ("await 1", Some(1)),
        ("import x from 'y'", Some(1)),
        ("with (inputs) { return text }", Some(1)),
        ("return 'open", Some(1)),
        ("return /(/", None),
        ("/* open", Some(1)),
    ] {
        match failure(body).await {
            CallError::Syntax { message, line: at } => {
                assert!(!message.is_empty(), "{body}");
                assert_eq!(at, line, "{body}: {message}");
            }
            other => panic!("{body}: {other:?}"),
        }
    }
}

#[tokio::test]
async fn a_body_can_be_checked_without_being_run() {
    let tenant = tenant();
    let check = async |body: &str| tenant.sandbox.check(tenant.id, body).await;
    assert!(check("while (true) {}").await.is_ok());
    assert!(matches!(
        check("while (true {").await,
        Err(CallError::Syntax { .. })
    ));
}

#[tokio::test]
async fn whatever_is_thrown_is_told() {
    for (body, said) in [
        ("throw null", "null"),
        ("throw undefined", "undefined"),
        ("throw 'just text'", "just text"),
        ("throw 7", "7"),
        ("throw 1n", "1"),
        ("throw { code: 1 }", r#"{"code":1}"#),
        ("throw Symbol('s')", "Symbol(s)"),
        ("throw Symbol()", "Symbol()"),
        ("throw () => 1", "() => 1"),
        (r"throw 'half \ud800'", "half \u{fffd}"),
        (r"throw new Error('half \udc00')", "Error: half \u{fffd}"),
        ("throw Object.create(null)", "{}"),
        (
            "const e = new Error('x'); e.toString = () => { throw e }; throw e",
            "something that has no text",
        ),
        (
            "const e = new Error('x'); Object.defineProperty(e, 'stack', { get() { throw 1 } }); throw e",
            "Error: x",
        ),
        (
            "throw new Proxy({}, { get() { throw 1 }, getPrototypeOf() { throw 1 } })",
            "something that has no text",
        ),
        (
            "String.prototype.slice = () => 'forged'; JSON.stringify = () => 'forged'; throw { a: 1 }",
            r#"{"a":1}"#,
        ),
    ] {
        match failure(body).await {
            CallError::Threw { message, .. } => assert_eq!(message, said, "{body}"),
            other => panic!("{body}: {other:?}"),
        }
    }
}

#[tokio::test]
async fn what_is_thrown_is_told_in_2000_characters_at_most() {
    for body in [
        "throw 'x'.repeat(1e7)",
        "throw new Error('x'.repeat(1e7))",
        "throw ['x'.repeat(1e7)]",
    ] {
        match failure(body).await {
            CallError::Threw { message, .. } => assert_eq!(message.chars().count(), 2000, "{body}"),
            other => panic!("{body}: {other:?}"),
        }
    }
}

#[tokio::test]
async fn every_error_says_what_to_do_in_a_sentence() {
    let told = failure("while (true) {}").await.to_string();
    assert!(
        told.contains("took longer than 2 s") && told.contains("FUNCTION_MILLIS"),
        "{told}"
    );
    let told = failure("\nthrow new Error('no tea')").await.to_string();
    assert_eq!(told, "the function failed in line 2: Error: no tea");
}

#[tokio::test]
async fn a_sandbox_without_a_program_says_that_it_failed_itself() {
    let nowhere = sandbox::Sandbox::new("/nowhere/program".into(), &[], &CONFIG);
    let error = Tenant::of(&nowhere)
        .run("return 1")
        .await
        .expect_err("nothing runs");
    assert!(matches!(error, CallError::Failed(_)), "{error:?}");
    let other = sandbox::Sandbox::new("/bin/false".into(), &[], &CONFIG);
    let error = Tenant::of(&other)
        .run("return 1")
        .await
        .expect_err("it ends at once");
    assert!(matches!(error, CallError::Failed(_)), "{error:?}");
    drop(sandbox(&CONFIG));
}
