// Fetch Standard, sections 2.2, 5 and 6.
import { api, equal, ok, rejects, throws } from "./check.js";

const U = "https://shop.example/a";
const pairs = (headers) => [...headers];
const streamOf = (...chunks) => new ReadableStream({
  start(controller) {
    for (const chunk of chunks) controller.enqueue(chunk);
    controller.close();
  },
});
const bytes = (text) => new TextEncoder().encode(text);
const post = (body, init) => new Request(U, { method: "POST", body, ...init });

api("Headers", {
  "is an interface of Web IDL"() {
    equal(Object.prototype.toString.call(new Headers()), "[object Headers]");
    equal([Headers.name, Headers.length, Headers.prototype.append.length, Headers.prototype.get.length], ["Headers", 0, 2, 1]);
    equal(Headers.prototype[Symbol.iterator], Headers.prototype.entries);
    equal(Object.keys(Headers.prototype).sort(), ["append", "delete", "entries", "forEach", "get", "getSetCookie", "has", "keys", "set", "values"]);
    throws(() => Headers(), TypeError);
    throws(() => Headers.prototype.get.call({}, "a"), TypeError);
  },
  "combines values, whatever the names' case"() {
    const headers = new Headers();
    headers.append("A-b", "1");
    headers.append("a-B", "2");
    equal([headers.get("a-b"), headers.has("A-B"), headers.get("x"), headers.has("x")], ["1, 2", true, null, false]);
    headers.set("a-b", "3");
    equal(pairs(headers), [["a-b", "3"]]);
    headers.delete("A-B");
    equal(pairs(headers), []);
  },
  "is made of an object, of pairs, and of another"() {
    const want = [["a", "1"], ["b", "2"]];
    equal(pairs(new Headers({ b: 2, a: "1" })), want);
    equal(pairs(new Headers([["b", "2"], new Set(["a", "1"])])), want);
    equal(pairs(new Headers(new Headers({ b: 2, a: 1 }))), want);
    equal(pairs(new Headers(new Map([["b", 2], ["a", 1]]))), want);
    equal(pairs(new Headers(undefined)), []);
    equal(pairs(new Headers(() => {})), []);
    equal(pairs(new Headers([["a", "1"], ["A", "2"]])), [["a", "1, 2"]]);
  },
  "is made of nothing else"() {
    for (const init of [null, 1, "a", true, [["a"]], [["a", "1", "2"]], [[]], ["ab", "c"], [1]]) throws(() => new Headers(init), TypeError);
    equal(pairs(new Headers([["ab", "c"]])), [["ab", "c"]]);
    throws(() => new Headers({ [Symbol("a")]: "1" }), TypeError);
  },
  "takes what is enumerable of an object"() {
    const init = Object.create({ inherited: "1" }, { hidden: { value: "2" }, shown: { value: "3", enumerable: true } });
    equal(pairs(new Headers(init)), [["shown", "3"]]);
  },
  "iterates in the order of names, Set-Cookie by Set-Cookie"() {
    const headers = new Headers([["set-cookie", "b"], ["x", "1"], ["Set-Cookie", "a"], ["B", "2"], ["a", "3"], ["b", "4"]]);
    equal(pairs(headers), [["a", "3"], ["b", "2, 4"], ["set-cookie", "b"], ["set-cookie", "a"], ["x", "1"]]);
    equal([[...headers.keys()], [...headers.values()]], [["a", "b", "set-cookie", "set-cookie", "x"], ["3", "2, 4", "b", "a", "1"]]);
    equal([headers.getSetCookie(), headers.get("set-cookie")], [["b", "a"], "b, a"]);
    equal(new Headers().getSetCookie(), []);
  },
  "iterates over what is there now"() {
    const headers = new Headers({ b: 1, d: 2 }), seen = [];
    for (const [name] of headers) {
      seen.push(name);
      if (name === "b") headers.append("c", "3");
      if (name === "c") headers.delete("d");
    }
    equal(seen, ["b", "c"]);
    const it = headers.keys();
    equal(Object.prototype.toString.call(it), "[object Headers Iterator]");
    throws(() => it.next.call([].keys()), TypeError);
  },
  "calls back for each"() {
    const headers = new Headers({ a: 1 }), calls = [];
    headers.forEach((...args) => calls.push(args));
    equal(calls[0].slice(0, 2), ["1", "a"]);
    ok(calls[0][2] === headers);
    throws(() => headers.forEach(null), TypeError);
  },
  "trims values"() {
    const headers = new Headers({ a: " \t\r\n1 \t2\r\n\t " });
    equal(headers.get("a"), "1 \t2");
    headers.set("a", "");
    equal(headers.get("a"), "");
  },
  "refuses what is no name"() {
    for (const name of ["", " ", "a b", "a:", "ä", "a\n", "(", "a,", "{}"]) {
      throws(() => new Headers().append(name, "1"), TypeError);
      for (const method of ["get", "has", "delete"]) throws(() => new Headers()[method](name), TypeError);
    }
    equal(pairs(new Headers({ "!#$%&'*+-.^_`|~09azAZ": "1" })).length, 1);
  },
  "refuses what is no value"() {
    for (const value of ["a\0b", "a\nb", "a\rb", "€", "\ud800"]) throws(() => new Headers().set("a", value), TypeError);
    equal(new Headers({ a: "\xff\x7f\x01" }).get("a"), "\xff\x7f\x01");
    throws(() => new Headers().append("a", Symbol()), TypeError);
  },
  "needs its arguments"() {
    for (const call of [(h) => h.append("a"), (h) => h.set("a"), (h) => h.get(), (h) => h.has(), (h) => h.delete()]) throws(() => call(new Headers()), TypeError);
  },
  "trims a long value in linear time"() { equal(new Headers({ a: `x${" ".repeat(200000)}x`.repeat(2) }).get("a").length, 400004); },
  "bounds the number of values"() {
    const e = throws(() => new Headers(function* () { for (;;) yield ["a", "b"]; }()), RangeError);
    ok(e.message.includes("10000"), e.message);
    const headers = new Headers();
    for (let i = 0; i < 10000; i++) headers.append(`n${i}`, "");
    throws(() => headers.append("more", ""), RangeError);
    headers.delete("n0");
    headers.append("more", "");
    headers.set("more", "x");
  },
  "bounds the size of values"() {
    const headers = new Headers({ a: "x".repeat(1000000) });
    const e = throws(() => headers.append("a", "x".repeat(100000)), RangeError);
    ok(e.message.includes("1048576"), e.message);
    headers.set("a", "x".repeat(1000000));
    throws(() => new Headers({ a: "x".repeat(2000000) }), RangeError);
  },
  "of a request has no forbidden names"() {
    const { headers } = new Request(U, { headers: { Cookie: "1", Host: "2", "Sec-Fetch-Mode": "3", "proxy-x": "4", "Content-Length": "5", "X-Method-Override": "GET, trace", "Set-Cookie": "6", "X-Ok": "7" } });
    equal(pairs(headers), [["x-ok", "7"]]);
    headers.append("Origin", "1");
    headers.set("TE", "1");
    headers.set("X-HTTP-Method", "PUT");
    equal(pairs(headers), [["x-http-method", "PUT"], ["x-ok", "7"]]);
  },
  "of a no-cors request has simple names only"() {
    const { headers } = new Request(U, { mode: "no-cors", headers: { Accept: "a/b", "X-No": "1", "Content-Type": "application/json", "Accept-Language": "de" } });
    equal(pairs(headers), [["accept", "a/b"], ["accept-language", "de"]]);
    headers.set("Content-Type", "text/plain;charset=utf-8");
    headers.append("Accept", "x".repeat(126));
    headers.set("Range", "bytes=0-");
    equal(pairs(headers), [["accept", "a/b"], ["accept-language", "de"], ["content-type", "text/plain;charset=utf-8"]]);
  },
  "of a response has no Set-Cookie"() {
    const { headers } = new Response(null, { headers: { "Set-Cookie": "1", "set-cookie2": "2", Cookie: "3" } });
    equal(pairs(headers), [["cookie", "3"]]);
  },
  "of an error or a redirect cannot be changed"() {
    for (const { headers } of [Response.error(), Response.redirect(U)]) {
      throws(() => headers.append("a", "1"), TypeError);
      throws(() => headers.set("a", "1"), TypeError);
      throws(() => headers.delete("a"), TypeError);
    }
  },
});

api("Request", {
  "is an interface of Web IDL"() {
    const request = new Request(U);
    equal(Object.prototype.toString.call(request), "[object Request]");
    equal([Request.name, Request.length], ["Request", 1]);
    throws(() => Request(U), TypeError);
    throws(() => new Request(), TypeError);
    throws(() => Request.prototype.url, TypeError);
    for (const name of ["body", "text", "json", "formData", "clone", "signal", "duplex"]) ok(Object.keys(Request.prototype).includes(name), name);
  },
  "has its attributes' defaults"() {
    const r = new Request("HTTPS://shop.example/a/../b?c#d");
    equal([r.method, r.url, r.destination, r.referrer, r.referrerPolicy, r.mode, r.credentials, r.cache, r.redirect, r.integrity, r.keepalive, r.duplex, r.body, r.bodyUsed, r.isReloadNavigation, r.isHistoryNavigation],
      ["GET", "https://shop.example/b?c#d", "", "about:client", "", "cors", "same-origin", "default", "follow", "", false, "half", null, false, false, false]);
    ok(r.headers instanceof Headers && r.headers === r.headers);
    ok(r.signal instanceof AbortSignal && !r.signal.aborted);
  },
  "takes its URL from whatever says one"() {
    equal([new Request(new URL(U)).url, new Request({ toString: () => U }).url], [U, U]);
  },
  "refuses URLs that are relative, wrong or have credentials"() {
    for (const url of ["", "/a", "a", "https://", "https://u@shop.example/", "https://:p@shop.example/"]) throws(() => new Request(url), TypeError);
  },
  "reads its options"() {
    const r = new Request(U, { method: "PUT", mode: "same-origin", credentials: "include", cache: "no-store", redirect: "manual", integrity: "sha256-x", keepalive: 1, referrer: "", referrerPolicy: "origin", priority: "high", window: null });
    equal([r.method, r.mode, r.credentials, r.cache, r.redirect, r.integrity, r.keepalive, r.referrer, r.referrerPolicy],
      ["PUT", "same-origin", "include", "no-store", "manual", "sha256-x", true, "", "origin"]);
    equal(new Request(U, { referrer: "https://other.example/" }).referrer, "about:client");
  },
  "refuses options that are none"() {
    for (const init of [1, "a", { mode: "x" }, { mode: "navigate" }, { credentials: "" }, { cache: "CACHE" }, { redirect: null }, { referrerPolicy: "x" }, { priority: "x" }, { duplex: "full" }, { window: {} }, { signal: {} }, { referrer: "http://:x" }, { cache: "only-if-cached" }, { headers: null }]) {
      throws(() => new Request(U, init), TypeError);
    }
    new Request(U, { cache: "only-if-cached", mode: "same-origin" });
    new Request(U, { method: undefined, signal: null, body: null });
  },
  "normalizes the methods that HTTP knows"() {
    const method = (m) => new Request(U, { method: m }).method;
    equal(["get", "Head", "options", "pOST", "put", "delete", "patch", "Chicken"].map(method), ["GET", "HEAD", "OPTIONS", "POST", "PUT", "DELETE", "patch", "Chicken"]);
    for (const m of ["", "a b", "é", "CONNECT", "trace", "Track", null + "\n"]) throws(() => method(m), TypeError);
    throws(() => new Request(U, { mode: "no-cors", method: "PUT" }), TypeError);
  },
  "has no body with GET and HEAD"() {
    for (const method of ["GET", "HEAD"]) throws(() => new Request(U, { method, body: "" }), TypeError);
    throws(() => new Request(post("a"), { method: "GET" }), TypeError);
  },
  async "copies another"() {
    const r = new Request(U, { method: "PUT", headers: { a: "1" }, credentials: "omit", referrer: "" });
    const same = new Request(r), other = new Request(r, { headers: { b: "2" } });
    equal([same.method, same.credentials, same.referrer, pairs(same.headers)], ["PUT", "omit", "", [["a", "1"]]]);
    equal([other.method, other.referrer, pairs(other.headers)], ["PUT", "about:client", [["b", "2"]]]);
    same.headers.set("a", "3");
    equal(r.headers.get("a"), "1");
    equal(pairs(new Request(r, { method: "POST" }).headers), [["a", "1"]]);
  },
  async "takes the other's body over"() {
    for (const body of ["a", streamOf(bytes("a"))]) {
      const r = post(body, { duplex: "half" }), next = new Request(r);
      equal([r.bodyUsed, next.bodyUsed, await next.text(), next.bodyUsed], [true, false, "a", true]);
      throws(() => new Request(r), TypeError);
      await rejects(r.text(), TypeError);
      equal(await new Request(r, { body: "b" }).text(), "b");
    }
  },
  "takes no other's body when that is wrong"() {
    const r = post("a");
    throws(() => new Request(r, { method: "HEAD" }), TypeError);
    throws(() => new Request(r, { mode: "x" }), TypeError);
    equal(r.bodyUsed, false);
  },
  "tells a body's type"() {
    const type = (body, init) => post(body, init).headers.get("content-type");
    equal([type("a"), type(new URLSearchParams("a=b")), type(new Blob(["a"], { type: "b/c" })), type(new Blob(["a"])), type(bytes("a"))],
      ["text/plain;charset=UTF-8", "application/x-www-form-urlencoded;charset=UTF-8", "b/c", null, null]);
    ok(type(new FormData()).startsWith("multipart/form-data; boundary="));
    equal(type("a", { headers: { "Content-Type": "x/y" } }), "x/y");
  },
  "needs duplex for a stream"() {
    throws(() => post(streamOf()), TypeError);
    throws(() => post(streamOf(), { duplex: "half", keepalive: true }), TypeError);
    throws(() => post(streamOf(), { duplex: "half", mode: "no-cors" }), TypeError);
    const stream = streamOf();
    ok(post(stream, { duplex: "half" }).body === stream);
  },
  "refuses streams that somebody reads"() {
    const locked = streamOf(), read = streamOf(bytes("a"));
    locked.getReader();
    const reader = read.getReader();
    reader.read();
    reader.releaseLock();
    for (const stream of [locked, read]) throws(() => post(stream, { duplex: "half" }), TypeError);
  },
  async "clones its body and headers"() {
    for (const body of ["a", streamOf(bytes("a"))]) {
      const r = post(body, { duplex: "half", headers: { x: "1" } }), copy = r.clone();
      copy.headers.set("x", "2");
      equal([await r.text(), await copy.text(), r.headers.get("x"), copy.method], ["a", "a", "1", "POST"]);
      throws(() => r.clone(), TypeError);
    }
    const r = post("a");
    r.body.getReader();
    throws(() => r.clone(), TypeError);
  },
  "follows the signal that it was given"() {
    const controller = new AbortController(), r = new Request(U, { signal: controller.signal });
    const copy = r.clone(), next = new Request(r), none = new Request(r, { signal: null });
    ok(r.signal !== controller.signal && r.signal === r.signal);
    controller.abort("why");
    equal([r.signal.aborted, r.signal.reason, copy.signal.reason, next.signal.reason, none.signal.aborted], [true, "why", "why", "why", false]);
    equal(new Request(U, { signal: AbortSignal.abort("x") }).signal.reason, "x");
  },
  async "reads its body once"() {
    const r = post('{"a":1}');
    equal([await r.json(), r.bodyUsed], [{ a: 1 }, true]);
    for (const method of ["text", "json", "blob", "bytes", "arrayBuffer", "formData"]) await rejects(r[method](), TypeError);
  },
});

api("Response", {
  "is an interface of Web IDL"() {
    equal(Object.prototype.toString.call(new Response()), "[object Response]");
    equal([Response.name, Response.length, Response.json.length, Response.redirect.length, Response.error.length], ["Response", 0, 1, 1, 0]);
    equal(Object.keys(Response).sort(), ["error", "json", "redirect"]);
    throws(() => Response(), TypeError);
    throws(() => Response.prototype.ok, TypeError);
  },
  "has its attributes' defaults"() {
    const r = new Response();
    equal([r.type, r.url, r.redirected, r.status, r.ok, r.statusText, r.body, r.bodyUsed, pairs(r.headers)], ["default", "", false, 200, true, "", null, false, []]);
  },
  "reads its options"() {
    const r = new Response("a", { status: 404, statusText: "Not\tFound\xff", headers: { a: 1 } });
    equal([r.status, r.ok, r.statusText, pairs(r.headers)], [404, false, "Not\tFound\xff", [["a", "1"], ["content-type", "text/plain;charset=UTF-8"]]]);
    equal([new Response("", { status: 299 }).ok, new Response("", { status: 65536 + 300 }).status, new Response("", null).status], [true, 300, 200]);
  },
  "refuses other statuses"() {
    for (const status of [0, 100, 199, 600, 1000, -1, NaN, null]) throws(() => new Response("", { status }), RangeError);
    for (const statusText of ["a\n", "\0", "€"]) throws(() => new Response("", { statusText }), TypeError);
    throws(() => new Response("", 1), TypeError);
  },
  "has no body with some statuses"() {
    for (const status of [204, 205, 304]) {
      throws(() => new Response("", { status }), TypeError);
      throws(() => Response.json({}, { status }), TypeError);
      equal(new Response(null, { status }).body, null);
      equal(new Response(undefined, { status }).status, status);
    }
  },
  async "has a body of whatever it is given"() {
    const text = (body) => new Response(body).text();
    equal(await text("a€\ud800"), "a€\ufffd");
    equal(await text(1), "1");
    equal(await text({}), "[object Object]");
    equal(await text(bytes("abc").subarray(1)), "bc");
    equal(await text(bytes("abc").buffer), "abc");
    equal(await text(new DataView(bytes("abc").buffer, 2)), "c");
    equal(await text(new Blob(["ab"]).slice(1)), "b");
    equal(await text(new URLSearchParams("a=b c")), "a=b+c");
    equal(await text(streamOf(bytes("a"), bytes("b"))), "ab");
    equal(await text(null), "");
    throws(() => new Response(Symbol()), TypeError);
  },
  async "copies buffers, detached ones as empty"() {
    const buffer = bytes("a"), gone = new Uint8Array(4), r = new Response(buffer);
    buffer[0] = 98;
    gone.buffer.transfer();
    equal([await r.text(), await new Response(gone).text(), await new Response(gone.buffer).text()], ["a", "", ""]);
  },
  async "reads its body in each way"() {
    const r = () => new Response('\ufeff{"a":[1]}', { headers: { "Content-Type": "Application/JSON ; Charset=UTF-8" } });
    equal([await r().text(), await r().json()], ['{"a":[1]}', { a: [1] }]);
    const buffer = await r().arrayBuffer(), blob = await r().blob();
    ok(buffer instanceof ArrayBuffer && blob instanceof Blob);
    equal([buffer.byteLength, (await r().bytes()).length, blob.size, blob.type], [12, 12, 12, "application/json;charset=utf-8"]);
  },
  async "reads an empty body"() {
    const r = new Response();
    equal([await r.text(), await r.text(), (await r.bytes()).length, (await r.blob()).type, r.bodyUsed], ["", "", 0, "", false]);
    await rejects(r.json(), SyntaxError);
    await rejects(r.formData(), TypeError);
  },
  async "reads a body once"() {
    const r = new Response("a"), reading = r.text();
    equal(r.bodyUsed, true);
    await rejects(r.text(), TypeError);
    equal(await reading, "a");
    ok(r.body instanceof ReadableStream);
    await rejects(new Response("{").json(), SyntaxError);
    await rejects(Response.prototype.text.call({}), TypeError);
  },
  async "shows its body as a stream of bytes"() {
    const r = new Response("ab"), { body } = r;
    ok(body === r.body && body instanceof ReadableStream);
    equal([r.bodyUsed, body.locked], [false, false]);
    const reader = body.getReader({ mode: "byob" });
    equal((await reader.read(new Uint8Array(1))).value, bytes("a"));
    equal(r.bodyUsed, true);
    reader.releaseLock();
    await rejects(r.text(), TypeError);
  },
  async "is unusable while its stream is locked"() {
    const r = new Response("a"), reader = r.body.getReader();
    equal(r.bodyUsed, false);
    await rejects(r.text(), TypeError);
    throws(() => r.clone(), TypeError);
    reader.releaseLock();
    equal(await r.text(), "a");
  },
  async "is used when its stream is cancelled"() {
    const r = new Response("a");
    await r.body.cancel();
    equal(r.bodyUsed, true);
    await rejects(r.text(), TypeError);
  },
  "refuses streams that somebody reads"() {
    const stream = streamOf();
    stream.getReader();
    throws(() => new Response(stream), TypeError);
  },
  async "hands on what its stream throws"() {
    const error = new Error("midway");
    let pulls = 0;
    const r = new Response(new ReadableStream({ pull(c) { if (pulls++ > 2) throw error; c.enqueue(bytes("a")); } }));
    await rejects(r.text(), error);
    await rejects(r.text(), TypeError);
  },
  async "refuses chunks that are not bytes"() {
    let cancelled;
    const r = new Response(new ReadableStream({ start(c) { c.enqueue("text"); }, cancel(reason) { cancelled = reason; } }));
    const e = await rejects(r.text(), TypeError);
    ok(cancelled === e);
    for (const chunk of [null, 1, new ArrayBuffer(1), new Uint16Array(1), [1]]) await rejects(new Response(streamOf(chunk)).bytes(), TypeError);
  },
  async "copies a stream's chunks as they come"() {
    const chunk = bytes("a");
    let n = 0;
    const r = new Response(new ReadableStream({ pull(c) { if (n === 3) return c.close(); chunk[0] = 97 + n++; c.enqueue(chunk); } }, { highWaterMark: 0 }));
    equal(await r.text(), "abc");
  },
  async "collects many small chunks"() {
    let n = 0;
    const r = new Response(new ReadableStream({ pull(c) { if (n++ === 5000) c.close(); else c.enqueue(new Uint8Array(3)); } }));
    equal((await r.bytes()).length, 15000);
  },
  async "clones, and both are read"() {
    for (const body of ["ab", streamOf(bytes("a"), bytes("b"))]) {
      const r = new Response(body, { status: 201, statusText: "x", headers: { a: "1" } }), copy = r.clone();
      copy.headers.set("a", "2");
      equal([copy.status, copy.statusText, r.headers.get("a"), copy.headers.get("content-type")], [201, "x", "1", r.headers.get("content-type")]);
      equal([await copy.text(), await r.text()], ["ab", "ab"]);
      throws(() => r.clone(), TypeError);
    }
    equal(new Response().clone().body, null);
  },
  async "clones after its stream was seen"() {
    const r = new Response("ab"), { body } = r, copy = r.clone();
    ok(body.locked && r.body !== body);
    equal([await copy.text(), await r.text()], ["ab", "ab"]);
  },
  async "writes JSON"() {
    const r = Response.json({ a: [1, undefined] }, { status: 202, headers: { b: "1" } });
    equal([r.status, pairs(r.headers), await r.text()], [202, [["b", "1"], ["content-type", "application/json"]], '{"a":[1,null]}']);
    equal(Response.json(1, { headers: { "Content-Type": "x/y" } }).headers.get("content-type"), "x/y");
    for (const data of [undefined, () => {}, Symbol()]) throws(() => Response.json(data), TypeError);
    const circle = [];
    circle[0] = circle;
    throws(() => Response.json(circle), TypeError);
    throws(() => Response.json(), TypeError);
  },
  "redirects"() {
    const r = Response.redirect("https://shop.example/ä");
    equal([r.status, r.headers.get("location"), r.body, r.type, r.redirected], [302, "https://shop.example/%C3%A4", null, "default", false]);
    for (const status of [301, 303, 307, 308]) equal(Response.redirect(U, status).status, status);
    for (const status of [200, 300, 304, 309]) throws(() => Response.redirect(U, status), RangeError);
    throws(() => Response.redirect("/a"), TypeError);
    throws(() => Response.redirect(), TypeError);
  },
  "is an error"() {
    const r = Response.error();
    equal([r.type, r.status, r.ok, r.statusText, r.body, r.clone().type], ["error", 0, false, "", null, "error"]);
    throws(() => r.clone().headers.set("a", "1"), TypeError);
  },
  async "extracts its type from what its headers combine to"() {
    const type = async (...values) => (await new Response("", { headers: values.map((v) => ["Content-Type", v]) }).blob()).type;
    equal(await type("text/html;charset=gbk", "text/html"), "text/html;charset=gbk");
    equal(await type("text/html;charset=gbk", "x/y", "text/html"), "text/html");
    equal(await type("text/plain", "*/*", "wrong"), "text/plain");
    equal(await type('text/plain;a="b,c";b;c=;d="\\""'), 'text/plain;a="b,c";d="\\""');
    equal(await type(" a/b ; c = d"), "a/b");
    equal(await type("a/b;C=D;c=e"), "a/b;c=d");
    equal(await type("a", "/", "a/", "a/b c"), "");
  },
  async "reads a type of many parts in linear time"() {
    const value = "a/b" + ";".repeat(200000) + '"'.repeat(200000);
    equal((await new Response("", { headers: { "Content-Type": value } }).blob()).type, "a/b");
  },
});

api("fetch", {
  "is a function of the global object"() {
    equal([fetch.name, fetch.length, Object.getOwnPropertyDescriptor(globalThis, "fetch").enumerable], ["fetch", 1, true]);
    throws(() => new fetch(U), TypeError);
  },
  async "rejects where no network is granted, and says what to ask for"() {
    const e = await rejects(fetch(U), TypeError);
    for (const part of ["no network is granted", "manifest", "req_permissions", "system.permission.INTERNET"]) ok(e.message.includes(part), e.message);
    await rejects(fetch(post("a")), TypeError);
    await rejects(fetch(new URL(U), { method: "POST", body: streamOf(bytes("a")), duplex: "half" }), TypeError);
  },
  async "rejects what is no request"() {
    await rejects(fetch(), TypeError);
    await rejects(fetch("/relative"), TypeError);
    await rejects(fetch(U, { body: "x" }), TypeError);
    await rejects(fetch(U, { method: "TRACE" }), TypeError);
    await rejects(fetch(U, { mode: "same-origin" }), TypeError);
    const r = post("a");
    await r.text();
    await rejects(fetch(r), TypeError);
  },
  async "rejects schemes that nothing answers"() {
    for (const url of ["ftp://a.example/", "file:///etc/passwd", "blob:https://a.example/1", "about:blank", "javascript:1"]) {
      const e = await rejects(fetch(url), TypeError);
      ok(e.message.includes(url.slice(0, url.indexOf(":") + 1)), e.message);
    }
  },
  async "uses its request's body up"() {
    const r = post("a");
    await rejects(fetch(r), TypeError);
    ok(r.bodyUsed);
  },
  async "does not begin when its signal is aborted"() {
    const reason = { why: 1 };
    await rejects(fetch(U, { signal: AbortSignal.abort(reason) }), reason);
    await rejects(fetch(U, { signal: AbortSignal.abort() }), "AbortError");
    let cancelled;
    const body = new ReadableStream({ cancel(r) { cancelled = r; } });
    await rejects(fetch(U, { method: "POST", body, duplex: "half", signal: AbortSignal.abort(reason) }), reason);
    ok(cancelled === reason);
  },
  async "ends when its signal is aborted, an endless body too"() {
    const controller = new AbortController(), reason = new Error("stop");
    let cancelled;
    const body = new ReadableStream({ pull: () => new Promise(() => {}), cancel(r) { cancelled = r; } });
    const fetching = fetch(U, { method: "POST", body, duplex: "half", signal: controller.signal });
    setTimeout(() => controller.abort(reason), 1);
    await rejects(fetching, reason);
    ok(cancelled === reason);
    await rejects(fetch(U, { method: "POST", body: new ReadableStream(), duplex: "half", signal: AbortSignal.timeout(1) }), "TimeoutError");
  },
  async "rejects when its body throws midway"() {
    const error = new Error("midway");
    let pulls = 0;
    const body = new ReadableStream({ pull(c) { if (pulls++ > 1) throw error; c.enqueue(bytes("a")); } });
    const e = await rejects(fetch(U, { method: "POST", body, duplex: "half" }), TypeError);
    ok(e.cause === error && e.message.includes("midway"), e.message);
  },
  async "bounds its body"() {
    const e = await rejects(fetch(U, { method: "POST", body: new Uint8Array(1 << 20) }), TypeError);
    ok(e.message.includes("1048576") && e.message.includes("786432"), e.message);
    let cancelled = false;
    const body = new ReadableStream({ pull(c) { c.enqueue(new Uint8Array(65536)); }, cancel() { cancelled = true; } });
    const endless = await rejects(fetch(U, { method: "POST", body, duplex: "half" }), TypeError);
    ok(endless.message.includes("786432") && cancelled, endless.message);
  },
  async "reads data: URLs without a network"() {
    const r = await fetch("data:text/html;charset=utf-8,%3Cp%3E%E2%82%AC+1#hash");
    equal([r.status, r.statusText, r.ok, r.type, r.url, r.redirected], [200, "OK", true, "basic", "data:text/html;charset=utf-8,%3Cp%3E%E2%82%AC+1", false]);
    equal([r.headers.get("content-type"), await r.text()], ["text/html;charset=utf-8", "<p>€+1"]);
    throws(() => r.headers.set("a", "1"), TypeError);
  },
  async "reads what data: URLs leave out"() {
    const read = async (url, init) => { const r = await fetch(url, init); return [r.headers.get("content-type"), await r.text()]; };
    equal(await read("data:,a"), ["text/plain;charset=US-ASCII", "a"]);
    equal(await read("data:;charset=x,a"), ["text/plain;charset=x", "a"]);
    equal(await read("data:wrong,a,b"), ["text/plain;charset=US-ASCII", "a,b"]);
    equal(await read("data:a/b;base64,YWI%3D"), ["a/b", "ab"]);
    equal(await read("data:a/b; BASE64,Y%20W%20I"), ["a/b", "ab"]);
    equal(await read("data:a/b;base64;x=y,YQ"), ["a/b;x=y", "YQ"]);
    equal(await read("data:,a", { method: "HEAD" }), ["text/plain;charset=US-ASCII", ""]);
    for (const url of ["data:a/b", "data:;base64,A", "data:;base64,@@@@"]) await rejects(fetch(url), TypeError);
  },
  async "holds what it got against integrity"() {
    const abc = "sha256-ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0=", no = "sha512-AAAA";
    const get = async (integrity) => (await fetch("data:,abc", { integrity })).text();
    equal([await get(abc), await get(`sha256-AAAA ${abc}`), await get("md5-x unknown"), await get(abc.replace("+", "-") + "?x")], ["abc", "abc", "abc", "abc"]);
    await rejects(get("sha256-AAAA"), TypeError);
    await rejects(get(`${abc} ${no}`), TypeError);
  },
});
