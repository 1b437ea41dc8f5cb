// URL Standard, sections 4 to 6; URL Pattern Standard.
import { api, equal, ok, throws } from "./check.js";

const href = (...args) => new URL(...args).href;
const set = (url, part, value) => {
  const u = new URL(url);
  u[part] = value;
  return u.href;
};
const parts = ({ protocol, username, password, host, hostname, port, pathname, search, hash, origin }) =>
  [protocol, username, password, host, hostname, port, pathname, search, hash, origin];

api("URL", {
  "is an interface of Web IDL"() {
    equal(Object.prototype.toString.call(new URL("x:y")), "[object URL]");
    equal([URL.name, URL.length, URL.parse.length, URL.canParse.length], ["URL", 1, 1, 1]);
    throws(() => URL("x:y"), TypeError);
    throws(() => new URL(), TypeError);
    throws(() => Object.getOwnPropertyDescriptor(URL.prototype, "href").get.call({}), TypeError);
    equal(Object.getOwnPropertyDescriptor(globalThis, "URL").enumerable, false);
    equal(Object.keys(URL.prototype).sort(), ["hash", "host", "hostname", "href", "origin", "password", "pathname", "port", "protocol", "search", "searchParams", "toJSON", "toString", "username"]);
  },
  "has its parts"() {
    equal(parts(new URL("https://u:p@shop.example:8080/a/b?q=1#f")),
      ["https:", "u", "p", "shop.example:8080", "shop.example", "8080", "/a/b", "?q=1", "#f", "https://shop.example:8080"]);
    equal(parts(new URL("mailto:a@b.example?x")), ["mailto:", "", "", "", "", "", "a@b.example", "?x", "", "null"]);
    equal(parts(new URL("https://h.example?#")).slice(6, 9), ["/", "", ""]);
  },
  "resolves relative references"() {
    const base = "https://h.example/a/b?q#f";
    equal(["c", "../c", "/c", "//i.example/c", "?r", "#g", "", "./", "c?d#e"].map((x) => href(x, base)), [
      "https://h.example/a/c", "https://h.example/c", "https://h.example/c", "https://i.example/c", "https://h.example/a/b?r",
      "https://h.example/a/b?q#g", "https://h.example/a/b?q", "https://h.example/a/", "https://h.example/a/c?d#e",
    ]);
    equal(href("#f", "data:x"), "data:x#f");
    throws(() => new URL("x", "data:x"), TypeError);
  },
  "takes any base that can be converted"() {
    equal(href("b", new URL("https://h.example/a")), "https://h.example/b");
    equal(href("b", { toString: () => "https://h.example/" }), "https://h.example/b");
    throws(() => new URL("b", null), TypeError);
    equal(href("x:y", undefined), "x:y");
  },
  "tidies what it is given"() {
    equal(href("  HTTPS://EXAMPLE.com:443/./a/../b c\n"), "https://example.com/b%20c");
    equal(href("http:\\\\h.example\\a"), "http://h.example/a");
    equal(href("https:h.example"), "https://h.example/");
    equal(href("https://h.example/%7Ea%zz"), "https://h.example/%7Ea%zz");
  },
  "refuses what is no URL"() {
    for (const x of ["", "a", "//h", "http://", "http://a b", "http://h:99999", "http://[::1", "http://1.2.3.4.5", "http://a%00b", "https://exa%23mple.org"]) throws(() => new URL(x), TypeError);
    throws(() => new URL(Symbol()), TypeError);
  },
  "reads IPv4 addresses as browsers do"() {
    equal(["0x7f.1", "127.1", "017700000001", "2130706433", "127.0.0.1."].map((x) => new URL(`http://${x}`).hostname), Array(5).fill("127.0.0.1"));
    throws(() => new URL("http://256.1"), TypeError);
    throws(() => new URL("http://1.08"), TypeError);
  },
  "writes IPv6 addresses in their shortest form"() {
    equal(new URL("http://[2001:DB8:0:0:1:0:0:0]").host, "[2001:db8:0:0:1::]");
    equal(new URL("http://[::127.0.0.1]").host, "[::7f00:1]");
  },
  "encodes international domain names"() {
    equal(new URL("https://Bücher.example").host, "xn--bcher-kva.example");
    equal(new URL("https://例え.テスト").host, "xn--r8jz45g.xn--zckzah");
    equal(new URL("https://faß.example").host, "xn--fa-hia.example");
    equal(new URL("https://☕.example").host, "xn--53h.example");
    throws(() => new URL("https://\u00ad"), TypeError);
    throws(() => new URL("https://xn--ü"), TypeError);
  },
  "percent-encodes each part by its own set"() {
    equal(href("https://h.example/\"'`{}^?\"'`{}^#\"'`{}^"), "https://h.example/%22'%60%7B%7D%5E?%22%27`{}^#%22'%60{}^");
    equal(href("https://a/b@c:d@h.example/"), "https://a/b@c:d@h.example/");
    equal(href("https://[u]:{p}@h.example/"), "https://%5Bu%5D:%7Bp%7D@h.example/");
    equal(href("x:\ud800"), "x:%EF%BF%BD");
  },
  "keeps opaque paths as they are"() {
    equal(href("data:text/plain, a  b"), "data:text/plain, a  b");
    equal(href("x:a \tb ?c"), "x:a b%20?c");
    equal(set("data:a", "pathname", "b"), "data:a");
  },
  "knows Windows drives in files"() {
    equal(href("file:///C|/a/../.."), "file:///C:/");
    equal(href("/b", "file:///c:/a"), "file:///c:/b");
    equal(href("file://localhost/a"), "file:///a");
  },
  "has the origin of its scheme"() {
    equal(["http://h:80/a", "wss://h:1", "ftp://h", "file:///a", "data:a", "blob:https://h/x", "blob:ftp://h/x", "blob:x"].map((x) => new URL(x).origin),
      ["http://h", "wss://h:1", "ftp://h", "null", "null", "https://h", "null", "null"]);
    throws(() => { "use strict"; new URL("x:y").origin = "a"; }, TypeError);
  },
  "sets the protocol"() {
    equal([set("https://h/", "protocol", "http"), set("https://h:80/", "protocol", "http:x"), set("https://h/", "protocol", "foo"), set("x:a", "protocol", "https"), set("x:a", "protocol", "1")],
      ["http://h/", "http://h/", "https://h/", "x:a", "x:a"]);
  },
  "sets username and password"() {
    equal([set("https://h/", "username", "a:b"), set("https://a@h/", "password", "c/"), set("https://a:b@h/", "username", ""), set("file:///", "username", "a"), set("x:a", "password", "b")],
      ["https://a%3Ab@h/", "https://a:c%2F@h/", "https://:b@h/", "file:///", "x:a"]);
  },
  "sets host, hostname and port"() {
    equal([set("https://h:1/", "host", "i:2"), set("https://h:1/", "host", "i"), set("https://h/", "host", ""), set("https://h/", "host", "i/x"), set("https://h/", "host", "a b"), set("https://h:1/", "hostname", "i:2"), set("https://h:1/", "hostname", "ü")],
      ["https://i:2/", "https://i:1/", "https://h/", "https://i/", "https://h/", "https://h:1/", "https://xn--tda:1/"]);
    equal([set("https://h/", "port", "8080abc"), set("https://h:1/", "port", ""), set("https://h:1/", "port", "443"), set("https://h:1/", "port", "x"), set("https://h:1/", "port", 65536)],
      ["https://h:8080/", "https://h/", "https://h/", "https://h:1/", "https://h:1/"]);
  },
  "sets pathname, search and hash"() {
    equal([set("https://h/a?b", "pathname", "c/../d?e#f"), set("https://h/a", "pathname", ""), set("x:/a", "pathname", "//b")], ["https://h/d%3Fe%23f?b", "https://h/", "x:/.//b"]);
    equal([set("https://h/", "search", "a#b"), set("https://h/?a", "search", ""), set("https://h/", "search", "?")], ["https://h/?a%23b", "https://h/", "https://h/?"]);
    equal([set("https://h/", "hash", "#a b"), set("https://h/#a", "hash", "")], ["https://h/#a%20b", "https://h/"]);
  },
  "sets the whole, or throws and stays"() {
    const u = new URL("https://h/?a=1"), { searchParams } = u;
    u.href = "x:y?b=2";
    equal([u.href, searchParams.get("b"), u.searchParams === searchParams], ["x:y?b=2", "2", true]);
    throws(() => { u.href = "none"; }, TypeError);
    equal(u.href, "x:y?b=2");
  },
  "is a string where one is needed"() {
    const u = new URL("https://h");
    equal([`${u}`, u.toString(), u.toJSON(), JSON.stringify([u])], ["https://h/", "https://h/", "https://h/", '["https://h/"]']);
  },
  "parses without throwing"() {
    equal([URL.canParse("x:y"), URL.canParse("y"), URL.canParse("y", "https://h"), URL.canParse("y", "z")], [true, false, true, false]);
    equal(URL.parse("y"), null);
    const u = URL.parse("y", "https://h");
    ok(u instanceof URL);
    equal(u.href, "https://h/y");
    throws(() => URL.parse(), TypeError);
    throws(() => URL.canParse(), TypeError);
  },
  "can be extended"() {
    class Mine extends URL { get last() { return this.pathname.split("/").at(-1); } }
    equal(new Mine("https://h/a/b").last, "b");
  },
  "says why it refuses"() { ok(throws(() => new URL("http://:80"), TypeError).message.includes("the host is missing")); },
  "refuses what is too long"() {
    equal(URL.canParse(`x:${"a".repeat(1 << 20)}`), true);
    ok(throws(() => new URL(`x:${"a".repeat(2 << 20)}`), TypeError).message.includes("2097152"));
  },
});

const text = (init) => `${new URLSearchParams(init)}`;

api("URLSearchParams", {
  "is an interface of Web IDL"() {
    equal(Object.prototype.toString.call(new URLSearchParams()), "[object URLSearchParams]");
    equal([URLSearchParams.name, URLSearchParams.length, URLSearchParams.prototype.append.length, URLSearchParams.prototype.has.length], ["URLSearchParams", 0, 2, 1]);
    throws(() => URLSearchParams(), TypeError);
    equal(URLSearchParams.prototype[Symbol.iterator], URLSearchParams.prototype.entries);
    equal(Object.keys(URLSearchParams.prototype).sort(), ["append", "delete", "entries", "forEach", "get", "getAll", "has", "keys", "set", "size", "sort", "toString", "values"]);
  },
  "parses a string"() {
    equal([...new URLSearchParams("?a=1&b=%C3%BC+x&&=c&d&e=f=g")], [["a", "1"], ["b", "ü x"], ["", "c"], ["d", ""], ["e", "f=g"]]);
    equal([...new URLSearchParams("??a")], [["?a", ""]]);
    equal(new URLSearchParams("%zz%4=%ff").get("%zz%4"), "\ufffd");
    equal(new URLSearchParams("%EF%BB%BFa=1").get("\ufeffa"), "1");
  },
  "takes a sequence of pairs"() {
    equal(text([["a", 1], ["a", "b c"]]), "a=1&a=b+c");
    equal(text(new Map([["x", "y"]])), "x=y");
    equal(text(new Set([new Set(["a", "b"])])), "a=b");
    equal(text(new URLSearchParams("a=b")), "a=b");
    for (const init of [[["a"]], [["a", "b", "c"]], [1], ["ab"], [null]]) throws(() => new URLSearchParams(init), TypeError);
    throws(() => new URLSearchParams({ [Symbol.iterator]: 1 }), TypeError);
  },
  "takes a record"() {
    equal(text({ a: 1, b: undefined }), "a=1&b=undefined");
    equal(text({}), "");
    throws(() => new URLSearchParams({ [Symbol("a")]: 1 }), TypeError);
    equal(text({ "\ud800": 1, "\ufffd": 2 }), "%EF%BF%BD=2");
    equal(text(null), "null=");
  },
  "serializes"() {
    equal(text({ "a b": "*-._~!'()&=+%/?é😀\0" }), "a+b=*-._%7E%21%27%28%29%26%3D%2B%25%2F%3F%C3%A9%F0%9F%98%80%00");
  },
  "reads"() {
    const p = new URLSearchParams("a=1&a=2&b=");
    equal([p.get("a"), p.get("b"), p.get("c"), p.getAll("a"), p.getAll("c"), p.size], ["1", "", null, ["1", "2"], [], 3]);
    equal([p.has("a"), p.has("a", "2"), p.has("a", "3"), p.has("a", undefined), p.has("c")], [true, true, false, true, false]);
    throws(() => p.get(), TypeError);
  },
  "changes"() {
    const p = new URLSearchParams("a=1&b=2&a=3&c=4&a=5");
    p.set("a", "x");
    equal(`${p}`, "a=x&b=2&c=4");
    p.append("b", "3");
    p.delete("b", "2");
    p.delete("c", undefined);
    p.set("d", null);
    equal(`${p}`, "a=x&b=3&d=null");
    throws(() => p.append("a"), TypeError);
    throws(() => p.delete(), TypeError);
  },
  "sorts by code units, and is stable"() {
    const p = new URLSearchParams("\uffff=1&😀=2&b=3&a=4&b=1&=0");
    p.sort();
    equal([...p.keys()].join(), ",a,b,b,😀,\uffff");
    equal(p.getAll("b"), ["3", "1"]);
  },
  "iterates over what is there at the time"() {
    const p = new URLSearchParams("a=1&b=2&c=3"), seen = [];
    for (const [name] of p) {
      seen.push(name);
      if (name === "a") p.delete("b");
    }
    equal(seen, ["a", "c"]);
    equal([[...p.keys()], [...p.values()], [...p.entries()]], [["a", "c"], ["1", "3"], [["a", "1"], ["c", "3"]]]);
    const calls = [];
    p.forEach(function (...args) { calls.push([this.t, ...args]); }, { t: 1 });
    equal(calls.map((x) => x.slice(0, 3)), [[1, "1", "a"], [1, "3", "c"]]);
    ok(calls[0][3] === p);
    equal(Object.prototype.toString.call(p.keys()), "[object URLSearchParams Iterator]");
  },
  "is linked to its URL, both ways"() {
    const u = new URL("https://h/?a=1"), p = u.searchParams;
    p.append("b", "x y");
    equal(u.href, "https://h/?a=1&b=x+y");
    u.search = "c=%20";
    equal([...p], [["c", " "]]);
    p.delete("c");
    equal(u.href, "https://h/");
    p.sort();
    equal([u.href, u.searchParams === p], ["https://h/", true]);
    throws(() => { "use strict"; u.searchParams = p; }, TypeError);
  },
  "replaces lone surrogates"() { equal(text([["\ud800", "a\udc00"]]), "%EF%BF%BD=a%EF%BF%BD"); },
});

const matches = (pattern, url, ...rest) => new URLPattern(pattern, ...rest).test(url);

api("URLPattern", {
  "is an interface of Web IDL"() {
    equal(Object.prototype.toString.call(new URLPattern()), "[object URLPattern]");
    equal(URLPattern.name, "URLPattern");
    throws(() => URLPattern(), TypeError);
    equal(Object.getOwnPropertyDescriptor(globalThis, "URLPattern").enumerable, false);
  },
  "matches everything without a pattern"() {
    const p = new URLPattern();
    equal([p.protocol, p.hostname, p.pathname, p.search, p.hash, p.test("https://h/a?b#c"), p.test("x:y")], ["*", "*", "*", "*", "*", true, true]);
  },
  "finds named groups"() {
    const { pathname } = new URLPattern({ pathname: "/goods/:id/:what?" }).exec("https://h/goods/12/buy");
    equal([pathname.input, pathname.groups.id, pathname.groups.what], ["/goods/12/buy", "12", "buy"]);
    const none = new URLPattern({ pathname: "/goods/:id/:what?" }).exec("https://h/goods/12");
    equal([none.pathname.groups.id, none.pathname.groups.what], ["12", undefined]);
    equal(new URLPattern({ pathname: "/goods/:id" }).exec("https://h/other"), null);
  },
  "matches wildcards, modifiers and expressions"() {
    equal([matches({ pathname: "/a/*" }, "https://h/a/b/c"), matches({ pathname: "/a/*" }, "https://h/b")], [true, false]);
    equal([matches({ pathname: "/:x+" }, "https://h/a/b"), matches({ pathname: "/a{/b}?" }, "https://h/a"), matches({ pathname: "/:n(\\d+)" }, "https://h/12"), matches({ pathname: "/:n(\\d+)" }, "https://h/x")], [true, true, true, false]);
    equal([new URLPattern({ pathname: "/:n(\\d+)" }).hasRegExpGroups, new URLPattern({ pathname: "/:n" }).hasRegExpGroups], [true, false]);
  },
  "takes a whole URL as its pattern"() {
    const p = new URLPattern("https://*.shop.example/:page\\?q=*");
    equal([p.hostname, p.pathname, p.search], ["*.shop.example", "/:page", "q=*"]);
    equal([p.test("https://a.shop.example/x?q=1"), p.test("https://shop.example/x?q=1")], [true, false]);
  },
  "takes a base"() {
    equal(matches("/a/:b", "https://h.example/a/1", "https://h.example"), true);
    equal(new URLPattern({ pathname: "c", baseURL: "https://h.example/a/b" }).pathname, "/a/c");
    equal(new URLPattern({ pathname: "/a" }).test("/a", "https://h.example"), true);
  },
  "can ignore the case"() {
    equal([matches({ pathname: "/A" }, "https://h/a"), new URLPattern({ pathname: "/A" }, { ignoreCase: true }).test("https://h/a")], [false, true]);
  },
  "matches parts given alone"() { equal(new URLPattern({ hostname: "h", port: "" }).test({ hostname: "h", port: "" }), true); },
  "refuses what is no pattern"() {
    for (const pattern of ["/relative", { pathname: "/:a/:a" }, { pathname: "(" }, { port: "x" }]) throws(() => new URLPattern(pattern), TypeError);
  },
});
