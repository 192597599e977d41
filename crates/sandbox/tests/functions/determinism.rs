//! The same call gives the same result.

use serde_json::json;

use super::support::{result, tenant};

#[tokio::test]
async fn the_same_seed_gives_the_same_numbers_and_another_gives_others() {
    let tenant = tenant();
    let numbers = async |seed| {
        let body = "return Array.from({ length: 100 }, Math.random)";
        tenant.seeded(body, json!({}), seed).await.expect("numbers")
    };
    let first = numbers(1).await;
    assert_eq!(first, numbers(1).await);
    assert_ne!(first, numbers(2).await);
    let first: Vec<f64> = serde_json::from_value(first).expect("numbers");
    assert!(first.iter().all(|number| (0.0..1.0).contains(number)));
    let mean = first.iter().sum::<f64>() / 100.0;
    assert!((0.35..0.65).contains(&mean), "{mean}");
}

#[tokio::test]
async fn there_is_no_today() {
    let epoch = "1970-01-01T00:00:00.000Z";
    let body =
        "return [new Date(), Date.now(), new Date().getTime(), new (class extends Date {})(),
        new Date().constructor.now(), Reflect.construct(Date, []), Date().slice(0, 15)]";
    let expected = json!([epoch, 0, 0, epoch, 0, epoch, "Thu Jan 01 1970"]);
    assert_eq!(result(body).await, expected);
}

#[tokio::test]
async fn dates_that_are_given_work_as_everywhere_and_in_utc() {
    let body = "const date = new Date('2026-11-21T12:30:00Z');
        return [date.toISOString(), new Date(2026, 0, 2).toISOString(), Date.UTC(2026, 0), Date.parse('2026-01-01'),
          date.getHours(), date.getTimezoneOffset(), date instanceof Date, new Date(date) - date, Date.length, Date.name,
          new Date('nonsense').getTime(), Object.prototype.toString.call(date)]";
    let expected = json!([
        "2026-11-21T12:30:00.000Z",
        "2026-01-02T00:00:00.000Z",
        1_767_225_600_000_i64,
        1_767_225_600_000_i64,
        12,
        0,
        true,
        0,
        7,
        "Date",
        null,
        "[object Date]"
    ]);
    assert_eq!(result(body).await, expected);
}

#[tokio::test]
async fn no_call_sees_what_another_left_behind() {
    let tenant = tenant();
    let body = "Object.prototype.polluted = 1; Array.prototype.map = null; globalThis.left = 1; Math.random = () => 4;
        JSON.stringify = null; return 1";
    assert_eq!(tenant.run(body).await.expect("a result"), json!(1));
    let clean = tenant.run("return [{}.polluted, typeof [].map, typeof left, Math.random() < 1, typeof JSON.stringify]");
    let clean = clean.await.expect("a result");
    assert_eq!(
        clean,
        json!([null, "function", "undefined", true, "function"])
    );
}

#[tokio::test]
async fn what_code_from_browsers_takes_for_granted_is_there() {
    let body = r"console.log('x', 1); console.error(); console.table([]);
        return [typeof console.warn, (() => 1) instanceof Function, [3, 1].toSorted().join(),
          Object.groupBy([1, 2], (n) => n % 2 ? 'odd' : 'even'), 'a-b'.replaceAll('-', '+'),
          [...'añ'.normalize('NFD')].length, /(?<year>\d+)/u.exec('in 2026').groups.year, encodeURIComponent('ü'),
          [1, 2, 3].at(-1), new Set([1, 1]).size, (1234.5).toFixed(2), parseInt('12px'), structuredLike(inputs)]
        function structuredLike(value) { return JSON.parse(JSON.stringify(value)) }";
    let expected = json!([
        "function", true, "1,3", {"odd": [1], "even": [2]}, "a+b", 3, "2026", "%C3%BC", 3, 1, "1234.50", 12, {}
    ]);
    assert_eq!(result(body).await, expected);
}
