//! What functions return, and what becomes of it.

use proptest::{prelude::*, test_runner::TestRunner};
use serde_json::{Map, Value, json};

use super::support::{failure, result, tenant};
use sandbox::CallError;

#[tokio::test]
async fn a_function_works_on_its_inputs_and_returns_json() {
    let body =
        "const words = inputs.text.split(' ');\nreturn { count: words.length, first: words[0] };";
    let made = tenant()
        .apply(body, json!({"text": "bees dance at noon"}))
        .await;
    assert_eq!(
        made.expect("a result"),
        json!({"count": 4, "first": "bees"})
    );
}

#[tokio::test]
async fn no_result_is_null() {
    for body in [
        "",
        "return",
        "return undefined",
        "return null",
        "// nothing",
        "return NaN",
    ] {
        assert_eq!(result(body).await, Value::Null, "{body}");
    }
}

#[tokio::test]
async fn values_are_written_as_json_stringify_writes_them() {
    let body = "return { date: new Date(86400000), gone: undefined, also: () => 1, list: [undefined, 1n < 2, -0],
        map: new Map([[1, 2]]), own: { toJSON() { return 'mine' } } }";
    let expected = json!({"date": "1970-01-02T00:00:00.000Z", "list": [null, true, 0], "map": {}, "own": "mine"});
    assert_eq!(result(body).await, expected);
}

#[tokio::test]
async fn what_has_no_json_is_refused_and_named() {
    for body in [
        "return () => 1",
        "return Symbol('x')",
        "return 1n",
        "return { deep: [1n] }",
        "const a = {}; a.a = a; return a",
        "return { toJSON() { throw new Error('no') } }",
        "return { get x() { throw new Error('no') } }",
        "return new Proxy({}, { ownKeys() { throw 1 } })",
        "let deep = []; for (let i = 0; i < 200; i++) deep = [deep]; return deep",
    ] {
        let error = failure(body).await;
        assert!(
            matches!(error, CallError::NotJson { .. }),
            "{body}: {error:?}"
        );
    }
}

#[tokio::test]
async fn a_promise_is_waited_for() {
    let body = "const later = async (x) => { await null; return x * 2 };
        return Promise.all([later(1), later(2)]).then(async (both) => ({ both, third: await later(3) }));";
    assert_eq!(result(body).await, json!({"both": [2, 4], "third": 6}));
}

#[tokio::test]
async fn a_rejected_promise_fails_and_one_that_nothing_settles_says_so() {
    let rejected = failure("return (async () => { await 1; null.x })()").await;
    assert!(matches!(rejected, CallError::Threw { .. }), "{rejected:?}");
    let endless = failure("return new Promise(() => {})").await;
    assert!(matches!(endless, CallError::NeverSettles), "{endless:?}");
}

#[tokio::test]
async fn halves_of_characters_are_replaced() {
    let body = r"return { '\ud800': 'a\udc00b', whole: '\ud83d\ude00', text: '\\ud800' }";
    let expected = json!({"\u{fffd}": "a\u{fffd}b", "whole": "😀", "text": "\\ud800"});
    assert_eq!(result(body).await, expected);
}

#[tokio::test]
async fn a_function_may_change_its_inputs_which_are_a_copy() {
    let inputs = json!({"list": [3, 1, 2], "__proto__": {"a": 1}});
    let body = "inputs.list.sort(); inputs.more = 1; return inputs";
    let made = tenant()
        .apply(body, inputs.clone())
        .await
        .expect("a result");
    assert_eq!(
        made,
        json!({"list": [1, 2, 3], "__proto__": {"a": 1}, "more": 1})
    );
    assert_eq!(inputs["list"], json!([3, 1, 2]));
}

#[tokio::test]
async fn results_and_inputs_have_a_largest_size() {
    let fits = "return 'x'.repeat(5 * 1024 * 1024 - 2)";
    assert_eq!(
        result(fits).await.as_str().map(str::len),
        Some((5 << 20) - 2)
    );
    for body in [
        "return 'x'.repeat(5 * 1024 * 1024 - 1)",
        "return 'é'.repeat(3 * 1024 * 1024)",
    ] {
        let error = failure(body).await;
        assert!(
            matches!(error, CallError::ResultTooLarge),
            "{body}: {error:?}"
        );
    }
    let inputs = json!({"text": "x".repeat(5 << 20)});
    let error = tenant()
        .apply("return 1", inputs)
        .await
        .expect_err("too large");
    assert!(matches!(error, CallError::InputsTooLarge), "{error:?}");
    let error = failure(&" ".repeat(300 << 10)).await;
    assert!(matches!(error, CallError::BodyTooLarge), "{error:?}");
}

#[tokio::test]
async fn large_inputs_come_through_whole() {
    let inputs = json!({"text": "ü".repeat(2 << 20)});
    let made = tenant().apply("return inputs.text.length", inputs).await;
    assert_eq!(made.expect("a result"), json!(2 << 20));
}

/// JSON as JavaScript can hold it: its numbers are `f64`.
fn values() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        (-(1_i64 << 53)..=1 << 53).prop_map(Value::from),
        (prop::num::f64::NORMAL | prop::num::f64::ZERO).prop_map(Value::from),
        any::<String>().prop_map(Value::from),
    ];
    leaf.prop_recursive(6, 64, 8, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..8).prop_map(Value::from),
            objects(inner).prop_map(Value::from),
        ]
    })
}

fn objects(inner: impl Strategy<Value = Value>) -> impl Strategy<Value = Map<String, Value>> {
    let key = prop_oneof![
        any::<String>(),
        "[0-9]{1,3}",
        Just("__proto__".to_owned()),
        Just("toJSON".to_owned())
    ];
    prop::collection::btree_map(key, inner, 0..8).prop_map(|pairs| pairs.into_iter().collect())
}

/// Whether two values are equal. Numbers are by their value: `1.0` comes back as `1`, and what serde reads may be off by
/// the last digit.
fn same(one: &Value, other: &Value) -> bool {
    match (one, other) {
        (Value::Number(one), Value::Number(other)) => {
            let (Some(one), Some(other)) = (one.as_f64(), other.as_f64()) else {
                return false;
            };
            (one - other).abs() <= one.abs() * 2.0 * f64::EPSILON
        }
        (Value::Array(one), Value::Array(other)) => {
            one.len() == other.len() && one.iter().zip(other).all(|(one, other)| same(one, other))
        }
        (Value::Object(one), Value::Object(other)) => {
            one.len() == other.len()
                && one
                    .iter()
                    .all(|(key, one)| other.get(key).is_some_and(|other| same(one, other)))
        }
        (one, other) => one == other,
    }
}

#[test]
fn any_object_that_passes_through_comes_back_equal() {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let tenant = tenant();
    let passes = |inputs: Map<String, Value>| {
        let inputs = Value::Object(inputs);
        let passed = runtime.block_on(tenant.apply("return inputs", inputs.clone()));
        let passed = passed.expect("a result");
        prop_assert!(same(&passed, &inputs), "{} came back as {}", inputs, passed);
        Ok(())
    };
    let config = ProptestConfig {
        failure_persistence: None,
        ..ProptestConfig::with_cases(500)
    };
    let mut runner = TestRunner::new(config);
    runner.run(&objects(values()), passes).expect("equal");
}
