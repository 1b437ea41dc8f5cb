// Modules (ECMA-262, section 16.2; Import Attributes), and CommonJS that bundlers
// leave.
import { api, equal, ok, rejects, throws } from "./check.js";
import * as counter from "./modules/counter.js";
import data from "./modules/data.json" with { type: "json" };

api("import", {
  "binds names to what the module has now"() {
    const before = counter.count;
    counter.add();
    equal(counter.count, before + 1);
  },
  "gives a namespace that cannot be changed"() {
    throws(() => { counter.count = 5; }, TypeError);
    equal(Object.prototype.toString.call(counter), "[object Module]");
    equal(Object.keys(counter), ["add", "count", "default"]);
  },
  async "lets a module import itself"() { equal((await import("./modules/circle.js")).seen(), "circle"); },
});

api("import()", {
  async "gives the same namespace each time"() { ok((await import("./modules/counter.js")) === counter); },
  async "waits for a top-level await"() { equal((await import("./modules/late.js")).value, "late"); },
  async "rejects with what the module threw, each time"() {
    const first = await import("./modules/throws.js").catch((e) => e);
    equal([first.name, first.message], ["RangeError", "while it is evaluated"]);
    ok((await import("./modules/throws.js").catch((e) => e)) === first);
  },
  async "takes an expression"() { equal((await import(["./modules", "late.js"].join("/"))).value, "late"); },
  async "stays in the package"() {
    for (const name of ["fs", "node:fs", "/etc/passwd", "../app.js", "./../../x.js", "https://example.com/x.js", "data:text/javascript,1", ""]) {
      await rejects(import(name), TypeError);
    }
    await rejects(import("./modules/none.js"), ReferenceError);
  },
});

api("JSON modules", {
  "are the default export"() { equal(data, { name: "data", list: [1, null, "é"] }); },
  async "are the same object each time"() {
    ok((await import("./modules/data.json", { with: { type: "json" } })).default === data);
  },
  async "are refused without the attribute, and with another"() {
    await rejects(import("./modules/data.json?"), ReferenceError);
    await rejects(import("./modules/half.cjs", { with: { type: "css" } }), TypeError);
    await rejects(import("./modules/half.cjs", { with: { kind: "json" } }), TypeError);
  },
  async "must be JSON"() { await rejects(import("./modules/broken.json", { with: { type: "json" } }), SyntaxError); },
});

api("CommonJS", {
  async "gives its exports by name, and all of them as default"() {
    const common = await import("./modules/common.cjs");
    equal(common.quarter(8), 2);
    equal(common.data, "data");
    ok(common.default.quarter === common.quarter);
  },
  async "is not strict unless it says so"() { ok((await import("./modules/common.cjs")).sloppy); },
  async "is run once"() {
    ok((await import("./modules/common.cjs")) === (await import("./modules/common.cjs")));
  },
  "is not there in ES modules"() { equal([typeof require, typeof module, typeof exports], ["undefined", "undefined", "undefined"]); },
});
