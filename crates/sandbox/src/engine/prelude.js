// What a context is before anybody's code runs in it: without a clock, with numbers from a seed, without a way from
// text to code, without memory shared between threads. It answers with what the host needs of it, made of things that
// no later code can replace.
(function (a, b, c, d, most) {
  'use strict';
  const { defineProperty, getPrototypeOf, getOwnPropertyDescriptors } = Object;
  const { construct } = Reflect;
  const { stringify } = JSON;
  const text = String;
  const uncurried = Function.prototype.call.bind.bind(Function.prototype.call);
  const slice = uncurried(String.prototype.slice);
  const wellFormed = uncurried(String.prototype.toWellFormed);
  const put = (object, name, value) =>
    defineProperty(object, name, { value, writable: true, enumerable: false, configurable: true });
  const fix = (object, name, value) =>
    defineProperty(object, name, { value, writable: false, enumerable: false, configurable: false });

  // Numbers from a seed: four words of state, the last of which counts.
  const word = () => {
    const sum = (a + b + d) | 0;
    d = (d + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = (((c << 21) | (c >>> 11)) + sum) | 0;
    return sum >>> 0;
  };
  for (let round = 0; round < 12; round++) word();
  put(Math, 'random', { random: () => ((word() >>> 5) * 67108864 + (word() >>> 6)) / 9007199254740992 }.random);

  // Dates, but never today's: what asks for the time is told the start of 1970.
  const Clocked = Date;
  const Clockless = function Date(...given) {
    if (new.target === undefined) return text(new Clocked(0));
    return construct(Clocked, given.length === 0 ? [0] : given, new.target);
  };
  fix(Clockless, 'prototype', Clocked.prototype);
  put(Clockless, 'length', 7);
  put(Clockless, 'UTC', Clocked.UTC);
  put(Clockless, 'parse', Clocked.parse);
  put(Clockless, 'now', { now: () => 0 }.now);
  put(Clocked, 'now', Clockless.now);
  put(Clocked.prototype, 'constructor', Clockless);
  put(globalThis, 'Date', Clockless);

  // Code is what was given, and no text becomes code.
  const refuse = () => {
    throw new EvalError('code cannot be made of text here');
  };
  const makers = [function () {}, async function () {}, function* () {}, async function* () {}];
  for (const made of makers) {
    const prototype = getPrototypeOf(made);
    const { name } = prototype.constructor;
    const refusing = function () {
      refuse();
    };
    put(refusing, 'name', name);
    fix(refusing, 'prototype', prototype);
    fix(prototype, 'constructor', refusing);
    if (name === 'Function') put(globalThis, 'Function', refusing);
  }
  put(globalThis, 'eval', { eval: () => refuse() }.eval);
  // A hook that is shown the functions on the stack, among them those above.
  fix(Error, 'prepareStackTrace', undefined);

  delete globalThis.Atomics;
  delete globalThis.SharedArrayBuffer;
  // The host's, not the language's; what it throws would be caught by nobody.
  delete globalThis.queueMicrotask;

  // Nobody reads it, but code that was written in a browser talks to it.
  const console = {};
  const silent = ['assert', 'count', 'debug', 'dir', 'error', 'group', 'groupEnd', 'info', 'log', 'table', 'time',
    'timeEnd', 'trace', 'warn'];
  for (const name of silent) put(console, name, { [name]: () => {} }[name]);
  put(globalThis, 'console', console);

  return {
    // The JSON of a value; undefined where there is none, null where it is too long.
    encode(value) {
      const json = stringify(value);
      return json !== undefined && json.length > most ? null : json;
    },
    // What was thrown, as text, and where.
    describe(thrown) {
      let said, stack;
      try {
        if (typeof thrown === 'object' && thrown !== null && !(thrown instanceof Error)) said = stringify(thrown);
        said = wellFormed(slice(said ?? text(thrown), 0, 2000));
      } catch {
        said = 'something that has no text';
      }
      try {
        stack = wellFormed(slice(text(thrown.stack), 0, 4000));
      } catch {
        stack = '';
      }
      return [said, stack];
    },
  };
})
