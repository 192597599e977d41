// What a context is before anybody's code runs in it: without a clock, with numbers from a seed, without a way from
// text to code, without memory shared between threads. It answers with the one thing the host needs of it, made of what
// no later code can replace. It is read for every call: half the price of an engine is its length. (No parenthesis
// around it, since the engine would read all of it once more to see whether it is an arrow's parameters.)
0, function (a, b, c, most) {
  'use strict';
  const { defineProperty, getPrototypeOf } = Object;
  const { construct } = Reflect;
  const { stringify } = JSON;
  const text = String;
  const put = (object, name, value, writable = true) =>
    defineProperty(object, name, { value, writable, enumerable: false, configurable: writable });

  // Numbers from a seed: four words of state, the last of which counts.
  let d = 1;
  const word = () => {
    const sum = (a + b + d++) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = (((c << 21) | (c >>> 11)) + sum) | 0;
    return sum >>> 0;
  };
  const random = () => ((word() >>> 5) * 67108864 + (word() >>> 6)) / 9007199254740992;
  put(Math, 'random', random);

  // Dates, but never today's: what asks for the time is told the start of 1970. The handler inherits nothing, lest
  // somebody add to what it handles.
  const Clocked = Date;
  const now = () => 0;
  const Clockless = new Proxy(Clocked, {
    __proto__: null,
    apply: () => text(new Clocked(0)),
    construct: (_, given, target) => construct(Clocked, given.length ? given : [0], target),
  });
  put(Clocked, 'now', now);
  put(Clocked.prototype, 'constructor', Clockless);
  put(globalThis, 'Date', Clockless);

  // Code is what was given, and no text becomes code.
  const refuse = () => {
    throw new EvalError('code cannot be made of text here');
  };
  for (const made of [async function () {}, function* () {}, async function* () {}, refuse]) {
    const prototype = getPrototypeOf(made);
    const maker = function () {
      refuse();
    };
    put(maker, 'name', prototype.constructor.name);
    put(maker, 'prototype', prototype, false);
    put(prototype, 'constructor', maker, false);
  }
  put(globalThis, 'Function', refuse.constructor);
  put(globalThis, 'eval', refuse);
  // A hook that is shown the functions on the stack, among them those above.
  put(Error, 'prepareStackTrace', undefined, false);

  delete globalThis.Atomics;
  delete globalThis.SharedArrayBuffer;
  // The host's, not the language's; what it throws would be caught by nobody.
  delete globalThis.queueMicrotask;

  // Nobody reads it, but code that was written in a browser talks to it.
  const console = {};
  const silent = () => {};
  const kinds = 'assert count debug dir error group groupEnd info log table time timeEnd trace warn';
  for (const kind of kinds.split(' ')) console[kind] = silent;
  put(globalThis, 'console', console);

  // The JSON of a value; undefined where there is none, null where it is too long.
  return (value) => {
    const json = stringify(value);
    return json !== undefined && json.length > most ? null : json;
  };
}
