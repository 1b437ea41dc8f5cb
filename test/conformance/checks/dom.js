// DOM Standard, sections 2 and 3; Web IDL, section 4.3; HTML Standard,
// sections 8.1.4.6 and 8.1.4.7.
import { api, equal, logs, ok, throws, turn } from "./check.js";

const heard = (target, type, options) => {
  const events = [];
  target.addEventListener(type, (event) => events.push(event), options);
  return events;
};

// during runs f while the global object has a handler.
const during = async (name, handler, f) => {
  globalThis[name] = handler;
  try { await f(); } finally { globalThis[name] = null; }
};

api("DOMException", {
  "has a name, a message and no code of its own"() {
    const e = new DOMException("m", "NotFoundError");
    equal([e.name, e.message, e.code], ["NotFoundError", "m", 8]);
  },
  "defaults to Error without a message"() {
    const e = new DOMException();
    equal([e.name, e.message, e.code], ["Error", "", 0]);
  },
  "is an Error with a stack"() {
    const e = new DOMException("m", "AbortError");
    ok(e instanceof Error);
    equal(typeof e.stack, "string");
    equal(Object.prototype.toString.call(e), "[object DOMException]");
    equal(String(e), "AbortError: m");
  },
  "has the legacy codes"() {
    for (const [name, code] of [["IndexSizeError", 1], ["SyntaxError", 12], ["NetworkError", 19], ["AbortError", 20], ["QuotaExceededError", 22], ["TimeoutError", 23], ["DataCloneError", 25]]) {
      equal(new DOMException("", name).code, code, name);
    }
    equal(new DOMException("", "EncodingError").code, 0);
    equal([DOMException.INDEX_SIZE_ERR, DOMException.prototype.DATA_CLONE_ERR], [1, 25]);
  },
  "has no name of Object.prototype's for a code"() { equal(new DOMException("", "toString").code, 0); },
  "has attributes on its prototype"() {
    const e = new DOMException("m");
    equal(Object.hasOwn(e, "message"), false);
    throws(() => { e.name = "x"; }, TypeError);
    throws(() => DOMException.prototype.name, TypeError);
  },
  "needs new"() { throws(() => DOMException("m"), TypeError); },
  "converts its arguments"() { equal(new DOMException(1, null).name, "null"); },
});

api("Event", {
  "has its attributes' defaults"() {
    const e = new Event("x");
    equal([e.type, e.bubbles, e.cancelable, e.composed, e.defaultPrevented, e.eventPhase, e.target, e.currentTarget, e.srcElement, e.isTrusted, e.returnValue, e.cancelBubble],
      ["x", false, false, false, false, 0, null, null, null, false, true, false]);
  },
  "reads its options"() {
    const e = new Event("x", { bubbles: 1, cancelable: true, composed: "yes" });
    equal([e.bubbles, e.cancelable, e.composed], [true, true, true]);
  },
  "needs a type"() { throws(() => new Event(), TypeError); },
  "converts its type"() { equal(new Event(undefined).type, "undefined"); },
  "takes null for options and no number"() {
    equal(new Event("x", null).bubbles, false);
    throws(() => new Event("x", 1), TypeError);
  },
  "can be canceled when it is cancelable"() {
    const e = new Event("x", { cancelable: true }), f = new Event("x");
    e.preventDefault();
    f.preventDefault();
    equal([e.defaultPrevented, f.defaultPrevented], [true, false]);
  },
  "is canceled by returnValue false"() {
    const e = new Event("x", { cancelable: true });
    e.returnValue = true;
    equal(e.defaultPrevented, false);
    e.returnValue = false;
    equal([e.defaultPrevented, e.returnValue], [true, false]);
  },
  "has the time of its making"() {
    const before = performance.now(), e = new Event("x"), after = performance.now();
    ok(before <= e.timeStamp && e.timeStamp <= after);
  },
  "has the phases' constants"() {
    equal([Event.NONE, Event.CAPTURING_PHASE, Event.AT_TARGET, Event.BUBBLING_PHASE], [0, 1, 2, 3]);
    throws(() => { Event.NONE = 4; }, TypeError);
  },
  "cannot hide whether it is trusted"() {
    const e = new Event("x");
    throws(() => { e.isTrusted = true; }, TypeError);
    throws(() => Object.defineProperty(e, "isTrusted", { value: true }), TypeError);
  },
  "has a path while it is dispatched"() {
    const target = new EventTarget(), e = new Event("x");
    let path, phase;
    target.addEventListener("x", () => { path = e.composedPath(); phase = e.eventPhase; });
    equal(e.composedPath(), []);
    target.dispatchEvent(e);
    equal([path.length, path[0] === target, phase, e.composedPath().length, e.eventPhase], [1, true, 2, 0, 0]);
  },
  "can be initialized again"() {
    const e = new Event("x", { cancelable: true });
    e.preventDefault();
    e.initEvent("y", true);
    equal([e.type, e.bubbles, e.cancelable, e.defaultPrevented], ["y", true, false, false]);
    throws(() => e.initEvent(), TypeError);
  },
  "cannot be initialized while it is dispatched"() {
    const target = new EventTarget(), e = new Event("x");
    target.addEventListener("x", () => e.initEvent("y"));
    target.dispatchEvent(e);
    equal(e.type, "x");
  },
  "can be extended"() {
    class Mine extends Event { constructor() { super("mine"); this.extra = 1; } }
    const target = new EventTarget(), events = heard(target, "mine");
    target.dispatchEvent(new Mine());
    equal([events[0].extra, events[0] instanceof Event], [1, true]);
  },
  "has attributes that can be enumerated, on its prototype"() {
    ok(Object.getOwnPropertyDescriptor(Event.prototype, "type").enumerable);
    throws(() => Event.prototype.type, TypeError);
    equal(Object.prototype.toString.call(new Event("x")), "[object Event]");
  },
});

api("EventTarget", {
  async "reports a listener without a method handleEvent"() {
    const target = new EventTarget(), errors = [];
    target.addEventListener("x", {});
    await during("onerror", (...args) => errors.push(args[4]) > 0, () => target.dispatchEvent(new Event("x")));
    ok(errors[0] instanceof TypeError);
  },
  "calls listeners in the order of their addition, capturing ones first"() {
    const target = new EventTarget(), calls = [];
    target.addEventListener("x", () => calls.push("a"));
    target.addEventListener("x", () => calls.push("b"), true);
    target.addEventListener("x", () => calls.push("c"), { capture: true });
    target.addEventListener("x", () => calls.push("d"));
    target.dispatchEvent(new Event("x"));
    equal(calls, ["b", "c", "a", "d"]);
  },
  "takes a listener once, and apart for capture"() {
    const target = new EventTarget();
    let n = 0;
    const f = () => n++;
    target.addEventListener("x", f);
    target.addEventListener("x", f);
    target.addEventListener("x", f, { once: true });
    target.addEventListener("x", f, true);
    target.dispatchEvent(new Event("x"));
    equal(n, 2);
    target.removeEventListener("x", f, { capture: true });
    target.dispatchEvent(new Event("x"));
    equal(n, 3);
    target.removeEventListener("x", f);
    target.dispatchEvent(new Event("x"));
    equal(n, 3);
  },
  "gives a function its target as this, and a handler object itself"() {
    const target = new EventTarget(), seen = [];
    target.addEventListener("x", function () { seen.push(this === target); });
    const handler = { handleEvent() { seen.push(this === handler); } };
    target.addEventListener("x", handler);
    target.dispatchEvent(new Event("x"));
    equal(seen, [true, true]);
  },
  "looks handleEvent up at each dispatch"() {
    const target = new EventTarget(), handler = {};
    let n = 0;
    target.addEventListener("x", handler);
    handler.handleEvent = () => n++;
    target.dispatchEvent(new Event("x"));
    handler.handleEvent = () => { n += 10; };
    target.dispatchEvent(new Event("x"));
    equal(n, 11);
  },
  "removes a listener that is to be called once before it calls it"() {
    const target = new EventTarget();
    let n = 0;
    target.addEventListener("x", () => { n++; if (n < 5) target.dispatchEvent(new Event("x")); }, { once: true });
    target.dispatchEvent(new Event("x"));
    equal(n, 1);
  },
  "ignores preventDefault of a passive listener"() {
    const target = new EventTarget(), e = new Event("x", { cancelable: true });
    target.addEventListener("x", (event) => event.preventDefault(), { passive: true });
    equal(target.dispatchEvent(e), true);
  },
  "returns whether the event was canceled"() {
    const target = new EventTarget();
    target.addEventListener("x", (event) => event.preventDefault());
    equal(target.dispatchEvent(new Event("x", { cancelable: true })), false);
    equal(target.dispatchEvent(new Event("x")), true);
  },
  "stops at stopImmediatePropagation, and not among its listeners at stopPropagation"() {
    const target = new EventTarget(), calls = [];
    target.addEventListener("x", (e) => { calls.push(1); e.stopPropagation(); });
    target.addEventListener("x", (e) => { calls.push(2); e.stopImmediatePropagation(); });
    target.addEventListener("x", () => calls.push(3));
    target.dispatchEvent(new Event("x"));
    equal(calls, [1, 2]);
  },
  "skips listeners that were removed, and those that were added meanwhile"() {
    const target = new EventTarget(), calls = [];
    const b = () => calls.push("b");
    target.addEventListener("x", () => {
      calls.push("a");
      target.removeEventListener("x", b);
      target.addEventListener("x", () => calls.push("c"));
    });
    target.addEventListener("x", b);
    target.dispatchEvent(new Event("x"));
    equal(calls, ["a"]);
  },
  "reports a listener's error and goes on"() {
    const target = new EventTarget();
    let called = false;
    target.addEventListener("x", () => { throw "thrown"; });
    target.addEventListener("x", { handleEvent() { throw 5; } });
    target.addEventListener("x", () => { called = true; });
    equal(target.dispatchEvent(new Event("x")), true);
    ok(called);
    logs("error Uncaught 'thrown'", "error Uncaught 5");
  },
  "removes listeners when their signal is aborted"() {
    const target = new EventTarget(), c = new AbortController(), events = heard(target, "x", { signal: c.signal });
    target.dispatchEvent(new Event("x"));
    c.abort();
    target.dispatchEvent(new Event("x"));
    equal(events.length, 1);
    equal(heard(target, "x", { signal: c.signal }).length, 0);
    throws(() => target.addEventListener("x", () => {}, { signal: null }), TypeError);
    throws(() => target.addEventListener("x", () => {}, { signal: {} }), TypeError);
  },
  "takes null for a listener and nothing else that is no object"() {
    const target = new EventTarget();
    equal(target.addEventListener("x", null), undefined);
    equal(target.removeEventListener("x", undefined), undefined);
    throws(() => target.addEventListener("x", 1), TypeError);
    throws(() => target.addEventListener("x"), TypeError);
  },
  "refuses what is no event, and an event that is being dispatched"() {
    const target = new EventTarget(), e = new Event("x");
    throws(() => target.dispatchEvent({ type: "x" }), TypeError);
    throws(() => target.dispatchEvent(null), TypeError);
    let inner;
    target.addEventListener("x", () => { inner = throws(() => target.dispatchEvent(e), "InvalidStateError"); });
    target.dispatchEvent(e);
    ok(inner);
  },
  "dispatches an event again"() {
    const target = new EventTarget(), e = new Event("x"), events = heard(target, "x");
    target.addEventListener("x", () => e.stopPropagation(), true);
    target.dispatchEvent(e);
    target.dispatchEvent(e);
    equal(events.length, 0);
    const other = new EventTarget(), seen = heard(other, "x");
    other.dispatchEvent(e);
    equal([seen.length, e.target === other, e.currentTarget], [1, true, null]);
  },
  "can be extended, and not called on anything else"() {
    class Mine extends EventTarget { #x = 1; get x() { return this.#x; } }
    const target = new Mine(), events = heard(target, "x");
    target.dispatchEvent(new Event("x"));
    equal([events.length, target.x], [1, 1]);
    throws(() => EventTarget.prototype.addEventListener.call({}, "x", () => {}), TypeError);
    throws(() => EventTarget(), TypeError);
  },
});

api("CustomEvent", {
  "carries its detail"() {
    const detail = { a: 1 }, e = new CustomEvent("x", { detail, bubbles: true });
    ok(e.detail === detail);
    equal([e.bubbles, new CustomEvent("x").detail, new CustomEvent("x", { detail: undefined }).detail], [true, null, null]);
  },
  "is an Event"() {
    const e = new CustomEvent("x");
    ok(e instanceof Event);
    equal(Object.prototype.toString.call(e), "[object CustomEvent]");
    throws(() => new CustomEvent(), TypeError);
  },
  "reaches listeners"() {
    const target = new EventTarget(), events = heard(target, "x");
    target.dispatchEvent(new CustomEvent("x", { detail: 5 }));
    equal(events[0].detail, 5);
  },
  "keeps false and zero as its detail"() { equal([new CustomEvent("x", { detail: 0 }).detail, new CustomEvent("x", { detail: false }).detail], [0, false]); },
  "can be initialized again"() {
    const e = new CustomEvent("x", { detail: 1 });
    e.initCustomEvent("y", true, true, 2);
    equal([e.type, e.detail, e.cancelable], ["y", 2, true]);
  },
});

api("MessageEvent", {
  "has defaults"() {
    const e = new MessageEvent("message");
    equal([e.data, e.origin, e.lastEventId, e.source, e.ports], [null, "", "", null, Object.freeze([])]);
  },
  "reads its options"() {
    const e = new MessageEvent("message", { data: { a: 1 }, origin: "o", lastEventId: 7 });
    equal([e.data, e.origin, e.lastEventId], [{ a: 1 }, "o", "7"]);
  },
  "is an Event"() { ok(new MessageEvent("message") instanceof Event); },
  "needs a type"() { throws(() => new MessageEvent(), TypeError); },
  "has ports that cannot be changed"() { ok(Object.isFrozen(new MessageEvent("message").ports)); },
});

api("ErrorEvent", {
  "has defaults"() {
    const e = new ErrorEvent("error");
    equal([e.message, e.filename, e.lineno, e.colno, e.error], ["", "", 0, 0, undefined]);
  },
  "reads its options"() {
    const error = new Error("x"), e = new ErrorEvent("error", { message: "m", filename: "f", lineno: 3, colno: 4, error });
    equal([e.message, e.filename, e.lineno, e.colno, e.error === error], ["m", "f", 3, 4, true]);
  },
  "converts line and column to unsigned long"() {
    const e = new ErrorEvent("error", { lineno: -1, colno: "7.9" });
    equal([e.lineno, e.colno], [4294967295, 7]);
  },
  "is an Event"() { ok(new ErrorEvent("error") instanceof Event); },
  "needs a type"() { throws(() => new ErrorEvent(), TypeError); },
});

api("PromiseRejectionEvent", {
  "has a promise and a reason"() {
    const promise = Promise.resolve(), e = new PromiseRejectionEvent("unhandledrejection", { promise, reason: 5 });
    equal([e.promise === promise, e.reason, e.type], [true, 5, "unhandledrejection"]);
  },
  "needs a promise"() {
    throws(() => new PromiseRejectionEvent("x"), TypeError);
    throws(() => new PromiseRejectionEvent("x", {}), TypeError);
  },
  "is an Event"() { ok(new PromiseRejectionEvent("x", { promise: Promise.resolve() }) instanceof Event); },
  "has no reason by default"() { equal(new PromiseRejectionEvent("x", { promise: Promise.resolve() }).reason, undefined); },
  "needs new"() { throws(() => PromiseRejectionEvent("x", { promise: Promise.resolve() }), TypeError); },
});

api("AbortController", {
  "has one signal"() {
    const c = new AbortController();
    ok(c.signal === c.signal);
    ok(c.signal instanceof AbortSignal);
    equal(c.signal.aborted, false);
  },
  "aborts its signal once"() {
    const c = new AbortController(), events = heard(c.signal, "abort");
    c.abort("first");
    c.abort("second");
    equal([c.signal.aborted, c.signal.reason, events.length, events[0].isTrusted], [true, "first", 1, true]);
  },
  "has an AbortError for a reason by default"() {
    const c = new AbortController();
    c.abort();
    ok(c.signal.reason instanceof DOMException);
    equal([c.signal.reason.name, c.signal.reason.code], ["AbortError", 20]);
  },
  "takes null for a reason"() {
    const c = new AbortController();
    c.abort(null);
    equal(c.signal.reason, null);
  },
  "has a signal that cannot be replaced"() { throws(() => { new AbortController().signal = 1; }, TypeError); },
  "needs new"() { throws(() => AbortController(), TypeError); },
});

api("AbortSignal", {
  "cannot be constructed"() { throws(() => new AbortSignal(), TypeError); },
  "abort() is aborted from the start"() {
    const signal = AbortSignal.abort();
    equal([signal.aborted, signal.reason.name, AbortSignal.abort(7).reason], [true, "AbortError", 7]);
  },
  "throwIfAborted throws the reason"() {
    const reason = { why: 1 };
    throws(() => AbortSignal.abort(reason).throwIfAborted(), reason);
    equal(new AbortController().signal.throwIfAborted(), undefined);
  },
  async "timeout() aborts with a TimeoutError"() {
    const signal = AbortSignal.timeout(5);
    equal(signal.aborted, false);
    await new Promise((resolve) => { signal.onabort = resolve; });
    equal([signal.aborted, signal.reason.name], [true, "TimeoutError"]);
  },
  "timeout() wants a time"() {
    for (const bad of [-1, Infinity, NaN, "x", 2 ** 53]) throws(() => AbortSignal.timeout(bad), TypeError);
    throws(() => AbortSignal.timeout(), TypeError);
  },
  "has a handler onabort"() {
    const c = new AbortController(), calls = [];
    equal(c.signal.onabort, null);
    c.signal.onabort = () => calls.push("replaced");
    c.signal.addEventListener("abort", () => calls.push("listener"));
    c.signal.onabort = function (event) { calls.push(this === c.signal, event.type); };
    c.abort();
    equal(calls, [true, "abort", "listener"]);
    c.signal.onabort = 5;
    equal(c.signal.onabort, null);
  },
  "any() follows its first aborted signal"() {
    const a = new AbortController(), b = new AbortController(), signal = AbortSignal.any([a.signal, b.signal]), events = heard(signal, "abort");
    b.abort("b");
    a.abort("a");
    equal([signal.aborted, signal.reason, events.length], [true, "b", 1]);
    equal(AbortSignal.any([a.signal, b.signal]).reason, "a");
  },
  "any() follows signals that any() made"() {
    const a = new AbortController(), b = new AbortController();
    const inner = AbortSignal.any([a.signal]), outer = AbortSignal.any([inner, b.signal]);
    const order = [];
    inner.addEventListener("abort", () => order.push("inner", outer.aborted));
    outer.addEventListener("abort", () => order.push("outer"));
    a.abort(1);
    equal(order, ["inner", true, "outer"]);
    equal(outer.reason, 1);
  },
  "any() of nothing is never aborted"() {
    equal(AbortSignal.any([]).aborted, false);
    throws(() => AbortSignal.any([{}]), TypeError);
    throws(() => AbortSignal.any(), TypeError);
  },
  "any() lives for its listeners alone"() {
    const c = new AbortController();
    let n = 0;
    for (let i = 0; i < 100; i++) AbortSignal.any([c.signal]).addEventListener("abort", () => n++);
    c.abort();
    equal(n, 100);
  },
  "tells those who wait before its event"() {
    const c = new AbortController(), target = new EventTarget();
    let n = 0;
    target.addEventListener("x", () => n++, { signal: c.signal });
    c.signal.addEventListener("abort", () => target.dispatchEvent(new Event("x")));
    c.abort();
    equal(n, 0);
  },
});

api("globalThis", {
  "is itself"() { ok(globalThis.globalThis === globalThis); },
  "is an EventTarget"() {
    ok(globalThis instanceof EventTarget);
    const events = [], f = (event) => events.push(event);
    addEventListener("mine", f);
    globalThis.dispatchEvent(new Event("mine"));
    removeEventListener("mine", f);
    dispatchEvent(new Event("mine"));
    equal([events.length, events[0].target === globalThis], [1, true]);
  },
  "has interfaces that are not enumerable"() {
    const d = Object.getOwnPropertyDescriptor(globalThis, "EventTarget");
    equal([d.writable, d.enumerable, d.configurable], [true, false, true]);
  },
});

api("self", {
  "is globalThis"() { ok(self === globalThis); },
  "can be replaced"() {
    const d = Object.getOwnPropertyDescriptor(globalThis, "self");
    equal([d.configurable, d.enumerable], [true, true]);
  },
});

api("reportError", {
  "logs what nobody hears of"() {
    reportError("lost");
    logs("error Uncaught 'lost'");
  },
  "tells listeners of error"() {
    const error = new TypeError("bad"), events = [];
    const f = (event) => { events.push(event); event.preventDefault(); };
    addEventListener("error", f);
    reportError(error);
    removeEventListener("error", f);
    const [e] = events;
    equal([events.length, e.error === error, e.message, e.cancelable, e.isTrusted], [1, true, "Uncaught TypeError: bad", true, true]);
    equal(e.filename, "dom.js");
    ok(e.lineno > 0 && e.colno > 0);
    logs();
  },
  "takes any value"() {
    const f = (event) => { event.preventDefault(); equal([event.error, event.message], [null, "Uncaught null"]); };
    addEventListener("error", f);
    reportError(null);
    removeEventListener("error", f);
    logs();
  },
  "does not report the errors of error's listeners to them"() {
    let n = 0;
    const f = () => { n++; throw "again"; };
    addEventListener("error", f);
    reportError("first");
    removeEventListener("error", f);
    equal(n, 1);
    logs("error Uncaught 'again'", "error Uncaught 'first'");
  },
  "needs an argument"() { throws(() => reportError(), TypeError); },
});

api("onerror", {
  "is null at first"() { equal(onerror, null); },
  async "gets message, place and error, and cancels with true"() {
    let got;
    await during("onerror", (...args) => { got = args; return true; }, async () => {
      setTimeout(() => { throw new RangeError("late"); });
      await turn(2);
    });
    equal([got.length, got[0], got[1], got[4].message], [5, "Uncaught RangeError: late", "dom.js", "late"]);
    logs();
  },
  async "leaves the line to the log otherwise"() {
    await during("onerror", () => false, async () => {
      queueMicrotask(() => { throw 1; });
      await turn(2);
    });
    logs("error Uncaught 1");
  },
  async "gets the event for other events of that name"() {
    let got;
    await during("onerror", (...args) => { got = args; }, () => { dispatchEvent(new Event("error")); });
    equal([got.length, got[0].type], [1, "error"]);
  },
  async "gets the errors of listeners"() {
    let got;
    await during("onerror", (...args) => { got = args; return true; }, () => {
      const target = new EventTarget();
      target.addEventListener("x", () => { throw "in a listener"; });
      target.dispatchEvent(new Event("x"));
    });
    equal(got[4], "in a listener");
    logs();
  },
});

api("onunhandledrejection", {
  async "gets the promise and the reason, and can keep them from the log"() {
    let e, promise;
    await during("onunhandledrejection", (event) => { e = event; event.preventDefault(); }, async () => {
      promise = Promise.reject("why");
      await turn(2);
    });
    equal([e.type, e.promise === promise, e.reason, e.cancelable, e instanceof PromiseRejectionEvent], ["unhandledrejection", true, "why", true, true]);
    logs();
  },
  async "leaves the line to the log otherwise"() {
    await during("onunhandledrejection", () => {}, async () => {
      Promise.reject("s");
      await turn(2);
    });
    logs("error Uncaught (in promise) 's'");
  },
  async "hears nothing of what is handled in time"() {
    let n = 0;
    await during("onunhandledrejection", () => { n++; }, async () => {
      const p = Promise.reject(1);
      queueMicrotask(() => p.catch(() => {}));
      await turn(2);
    });
    equal(n, 0);
  },
  async "hears nothing of what another's listener handled"() {
    const seen = [];
    let second;
    await during("onunhandledrejection", (event) => { seen.push(event.reason); second.catch(() => {}); return false; }, async () => {
      Promise.reject("first");
      second = Promise.reject("second");
      await turn(2);
    });
    equal(seen, ["first"]);
  },
  async "runs the microtasks of its listeners"() {
    let done = false;
    await during("onunhandledrejection", async (event) => { event.preventDefault(); await null; done = true; }, async () => {
      Promise.reject(1);
      await turn(2);
    });
    ok(done);
  },
  async "cancels with false"() {
    await during("onunhandledrejection", () => false, async () => {
      Promise.reject(1);
      await turn(2);
    });
    logs();
  },
});

api("onrejectionhandled", {
  async "hears of a promise that was reported and is handled after all"() {
    const seen = [];
    globalThis.onunhandledrejection = (event) => event.preventDefault();
    await during("onrejectionhandled", (event) => { seen.push(event); }, async () => {
      const p = Promise.reject("r");
      await turn(2);
      equal(seen.length, 0);
      p.catch(() => {});
      await turn(2);
      equal([seen.length, seen[0].promise === p, seen[0].reason, seen[0].cancelable], [1, true, "r", false]);
    });
    globalThis.onunhandledrejection = null;
  },
  async "hears nothing of other promises"() {
    let n = 0;
    await during("onrejectionhandled", () => { n++; }, async () => {
      await Promise.reject(1).catch(() => {});
      await turn(2);
    });
    equal(n, 0);
  },
  "is null at first"() { equal(onrejectionhandled, null); },
});
