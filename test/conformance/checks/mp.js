// mp: what mpsupervisor adds to the platform. The host of the checks answers echo
// with its params, and knows no other method.
import { api, equal, ok, rejects, throws, turn } from "./check.js";

api("mp", {
  "is a target of events, and cannot be changed"() {
    ok(mp instanceof EventTarget);
    ok(Object.isFrozen(mp));
    equal(Object.prototype.toString.call(mp), "[object MiniApp]");
    throws(() => { globalThis.mp = 1; }, TypeError);
  },
  "knows the program"() { equal(mp.appId, "com.example.conformance"); },
  "hears what is dispatched on it"() {
    const got = [];
    const listener = (e) => got.push(e.type, e.isTrusted);
    mp.addEventListener("shown", listener);
    mp.dispatchEvent(new Event("shown"));
    mp.removeEventListener("shown", listener);
    mp.dispatchEvent(new Event("shown"));
    equal(got, ["shown", false]);
  },
  "has a handler for each of its events"() {
    for (const type of ["launched", "shown", "hidden", "unloaded", "error", "hibernate"]) {
      let n = 0;
      equal(mp[`on${type}`], null);
      mp[`on${type}`] = () => n++;
      mp.dispatchEvent(new Event(type));
      mp[`on${type}`] = null;
      mp.dispatchEvent(new Event(type));
      equal(n, 1, type);
    }
  },
  async "hears of errors, and can keep them out of the log"() {
    let message;
    mp.onerror = (e) => { message = e.error.message; e.preventDefault(); };
    setTimeout(() => { throw new Error("seen to"); });
    await turn(5);
    mp.onerror = null;
    equal(message, "seen to");
  },
  "ends with codes from 0 to 255 alone"() {
    for (const code of [-1, 256, 1e9]) throws(() => mp.exit(code), TypeError);
  },
});

api("mp.page", {
  "is the same for the same path"() {
    ok(mp.page("a") === mp.page("a"));
    ok(mp.page("a") !== mp.page("b"));
    equal(mp.page("a").path, "a");
    equal(mp.page("a").visible, false);
  },
  "is a target of events of its own"() {
    let n = 0;
    mp.page("a").onshown = () => n++;
    mp.page("b").dispatchEvent(new Event("shown"));
    mp.dispatchEvent(new Event("shown"));
    equal(n, 0);
    mp.page("a").dispatchEvent(new Event("shown"));
    equal(n, 1);
    mp.page("a").onshown = null;
  },
  "has a handler for each of its events"() {
    for (const type of ["loaded", "ready", "shown", "hidden", "unloaded"]) equal(mp.page("a")[`on${type}`], null, type);
  },
  "has a path"() { throws(() => mp.page(""), TypeError); },
  "has a path of limited length"() { throws(() => mp.page("x".repeat(1025)), "QuotaExceededError"); },
});

api("mp.request", {
  async "gives the host's answer"() {
    for (const value of [null, 1, "é", [1, { a: [true] }]]) equal(await mp.request("echo", value), value);
  },
  async "sends nothing for undefined"() { equal(await mp.request("echo", undefined), null); },
  async "goes on while others wait"() {
    equal(await Promise.all([1, 2, 3].map((n) => mp.request("echo", n))), [1, 2, 3]);
  },
  async "names a method that is not there"() {
    const error = await mp.request("nosuch").catch((e) => e);
    equal([error.name, error.code, error instanceof Error], ["NotFoundError", "not_found", true]);
    ok(error.message.includes("nosuch"));
  },
  async "refuses what is no method, or cannot be JSON"() {
    await rejects(mp.request(), TypeError);
    await rejects(mp.request(""), TypeError);
    await rejects(mp.request("echo", () => {}), TypeError);
    await rejects(mp.request("echo", 1n), TypeError);
  },
  async "says how large is too large"() {
    const error = await mp.request("echo", "x".repeat(1 << 20)).catch((e) => e);
    equal([error.name, error.code], ["QuotaExceededError", "too_large"]);
    ok(error.message.includes("1048578") && error.message.includes("1048576"));
  },
  async "refuses more than 64 at once"() {
    const all = Array.from({ length: 65 }, () => mp.request("echo", 1));
    const error = await all[64].catch((e) => e);
    equal([error.name, error.code], ["QuotaExceededError", "quota_exceeded"]);
    await Promise.all(all.slice(0, 64));
    equal(await mp.request("echo", 2), 2);
  },
});
