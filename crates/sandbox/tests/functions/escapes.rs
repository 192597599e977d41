//! Ways out that are none.

use serde_json::{Value, json};

use super::support::{failure, result};
use sandbox::CallError;

#[tokio::test]
async fn nothing_but_the_language_is_reachable() {
    let body = "const names = (object) => Reflect.ownKeys(object).map(String);
        return [names(globalThis), names(Object.getPrototypeOf(globalThis))].flat().sort()";
    let Value::Array(names) = result(body).await else {
        panic!("a list")
    };
    let names: Vec<&str> = names.iter().filter_map(Value::as_str).collect();
    let known = "AggregateError Array ArrayBuffer AsyncDisposableStack BigInt BigInt64Array BigUint64Array Boolean DataView Date \
        DisposableStack Error EvalError Float16Array Float32Array Float64Array Function Infinity Int16Array Int32Array Int8Array \
        InternalError Iterator JSON Map Math NaN Number Object Promise Proxy RangeError ReferenceError Reflect RegExp Set String \
        SuppressedError Symbol Symbol(Symbol.toStringTag) SyntaxError TypeError URIError Uint16Array Uint32Array Uint8Array \
        Uint8ClampedArray WeakMap WeakSet __defineGetter__ __defineSetter__ __lookupGetter__ __lookupSetter__ __proto__ \
        console constructor decodeURI decodeURIComponent encodeURI encodeURIComponent escape eval globalThis hasOwnProperty \
        isFinite isNaN isPrototypeOf parseFloat parseInt propertyIsEnumerable toLocaleString toString undefined unescape valueOf";
    assert_eq!(names.join(" "), known);
}

#[tokio::test]
async fn a_host_is_not_there() {
    for name in [
        "process",
        "require",
        "module",
        "exports",
        "global",
        "window",
        "self",
        "document",
        "fetch",
        "XMLHttpRequest",
        "WebSocket",
        "setTimeout",
        "setInterval",
        "setImmediate",
        "queueMicrotask",
        "std",
        "os",
        "bjson",
        "print",
        "scriptArgs",
        "gc",
        "load",
        "loadScript",
        "WebAssembly",
        "Atomics",
        "SharedArrayBuffer",
        "Worker",
        "Deno",
        "Bun",
        "performance",
        "WeakRef",
        "FinalizationRegistry",
        "navigator",
        "crypto",
        "ShadowRealm",
        "Intl",
        "importScripts",
        "$262",
    ] {
        assert_eq!(
            result(&format!("return typeof {name}")).await,
            "undefined",
            "{name}"
        );
        assert_eq!(
            result(&format!("return '{name}' in globalThis")).await,
            false,
            "{name}"
        );
    }
}

#[tokio::test]
async fn text_becomes_code_by_no_way() {
    for body in [
        "return eval('1')",
        "return (0, eval)('1')",
        "return globalThis.eval('1')",
        "return Function('return 1')()",
        "return new Function('return 1')()",
        "return inputs.constructor.constructor('return this')()",
        "return (function () {}).constructor('return this')()",
        "return (async function () {}).constructor('return this')()",
        "return (function* () {}).constructor('return this')()",
        "return (async function* () {}).constructor('return this')()",
        "return (() => {}).constructor('return this')()",
        "return Object.getPrototypeOf(Object.getPrototypeOf(async () => 1).constructor)('return 1')()",
        "return Reflect.construct(Object.getPrototypeOf(function () {}).constructor, ['return 1'])()",
        "return Object.getPrototypeOf(function () {}).constructor.constructor('return 1')()",
        "return Reflect.construct(Function, ['return 1'], Array)()",
        "return new (class extends Function {})('return 1')()",
        "return new (class extends (async () => 1).constructor {})('return 1')()",
        "return Function.prototype.constructor.call(null, 'return 1')()",
        "return Math.max.constructor('return 1')()",
        "return console.log.constructor('return 1')()",
        "return Date.constructor('return 1')()",
        "return new Proxy(Function, {})('return 1')()",
        "delete Function.prototype.constructor; return (() => 1).constructor('return 1')()",
        "Function.prototype.constructor = 1; return 1",
        "return (async () => (await import('std')).exit())()",
        "return (async () => (await import('data:text/javascript,export default 1')).default)()",
        "return (async () => (await import('/etc/passwd')).default)()",
    ] {
        let error = failure(body).await;
        assert!(
            matches!(error, CallError::Threw { .. }),
            "{body}: {error:?}"
        );
    }
}

#[tokio::test]
async fn no_clock_is_found_by_looking_at_the_stack() {
    let body = "let found = [];
        try { Error.prepareStackTrace = (error, sites) => { found.push(...sites.map((site) => site.getFunction())) } }
        catch {}
        try { Object.defineProperty(Error, 'prepareStackTrace', { value: (e, s) => { found.push(...s) } }) } catch {}
        new Date({ valueOf() { new Error().stack; return 1 } });
        Math.random({ valueOf() { new Error().stack; return 1 } });
        return [found.length, (function () { try { return arguments.callee } catch { return 'refused' } })(),
          (function f() { try { return f.caller } catch { return 'refused' } })()]";
    assert_eq!(result(body).await, json!([0, "refused", "refused"]));
}

#[tokio::test]
async fn a_body_that_closes_its_function_early_gains_nothing() {
    let body =
        "return 1 }; Object.prototype.polluted = typeof globalThis.process; 0, function (inputs) {
        return [{}.polluted, typeof this]";
    assert_eq!(result(body).await, json!(["undefined", "undefined"]));
    let error = failure("}; for (;;); 0, function () {").await;
    assert!(matches!(error, CallError::Time { .. }), "{error:?}");
    let error = failure("}, 7, {").await;
    assert!(
        !matches!(error, CallError::Failed(_) | CallError::Crashed),
        "{error:?}"
    );
}

#[tokio::test]
async fn odd_bodies_are_told_apart_from_a_broken_sandbox() {
    for body in [
        "\0",
        "return '\0'.length",
        "\u{feff}return 1",
        "#!x",
        "<!-- x",
        "\u{2028}",
        "return 1 //",
        "}",
        "})",
        "/*",
    ] {
        let outcome = super::support::tenant().run(body).await;
        assert!(
            !matches!(outcome, Err(CallError::Failed(_) | CallError::Crashed)),
            "{body:?}: {outcome:?}"
        );
    }
}
