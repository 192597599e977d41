//! Code that runs only once the function has returned: while its result is written.

use super::support::{HURRIED, Tenant, sandbox};
use sandbox::CallError;

#[tokio::test]
async fn code_that_runs_while_the_result_is_written_has_no_time_of_its_own() {
    let tenant = Tenant::of(&sandbox(&HURRIED));
    for body in [
        "return { get x() { for (;;); } }",
        "return { toJSON() { for (;;); } }",
        "return new Proxy({}, { ownKeys() { for (;;); } })",
        "return new Proxy([1], { get(list, key) { if (key === 'length') for (;;); return list[key] } })",
        "Object.prototype.toJSON = () => { for (;;); }; return {}",
        "const big = new Number(1); big[Symbol.toPrimitive] = () => { for (;;); }; return { big }",
        "return { toJSON: () => ({ toJSON() { throw 1 }, get x() { for (;;); } }) }",
        "return { then(resolve) { for (;;); } , get y() { for (;;); } }",
        "return (async () => ({ then() { for (;;); } }))()",
        "throw { toJSON() { for (;;); } }",
        "const e = new Error(); e.toString = () => { for (;;); }; throw e",
        "const e = new Error(); Object.defineProperty(e, 'stack', { get() { for (;;); } }); throw e",
        "const e = new Error(); Object.defineProperty(e, 'message', { get() { for (;;); } }); throw e",
    ] {
        let error = tenant.run(body).await.expect_err(body);
        assert!(
            matches!(error, CallError::Time { millis: 300 }),
            "{body}: {error:?}"
        );
    }
    assert_eq!(tenant.run("return 1").await.expect("a result"), 1);
}
