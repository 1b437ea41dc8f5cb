// XMLHttpRequest Standard, section 4.3; HTML Standard, section 4.10.21.8;
// RFC 7578; URL Standard, section 5.1.
import { api, equal, ok, rejects, throws } from "./check.js";

const form = (...pairs) => {
  const data = new FormData();
  for (const pair of pairs) data.append(...pair);
  return data;
};

const parse = (body, type) => new Response(body, { headers: { "Content-Type": type } }).formData();
const multipart = (body, boundary = "B") => parse(body.replaceAll("\n", "\r\n"), `multipart/form-data; boundary=${boundary}`);
const part = (name, value) => `--B\nContent-Disposition: form-data; name="${name}"\n\n${value}\n`;
const written = async (data) => {
  const response = new Response(data), type = response.headers.get("content-type");
  const boundary = /^multipart\/form-data; boundary=([0-9A-Za-z'()+_,\-./:=?]{1,70})$/.exec(type)[1];
  return (await response.text()).replaceAll(boundary, "B");
};

api("FormData", {
  "is an interface of Web IDL"() {
    equal(Object.prototype.toString.call(new FormData()), "[object FormData]");
    equal([FormData.name, FormData.length, FormData.prototype.append.length, FormData.prototype.get.length], ["FormData", 0, 2, 1]);
    equal(FormData.prototype[Symbol.iterator], FormData.prototype.entries);
    throws(() => FormData(), TypeError);
  },
  "takes no form"() {
    for (const value of [null, {}, "a", 1]) throws(() => new FormData(value), TypeError);
    equal([...new FormData(undefined)], []);
  },
  "keeps entries in order, repeated names included"() {
    const data = form(["a", "1"], ["b", "2"], ["a", "3"]);
    equal([...data], [["a", "1"], ["b", "2"], ["a", "3"]]);
    equal([data.get("a"), data.getAll("a"), data.get("c"), data.getAll("c"), data.has("b"), data.has("c")], ["1", ["1", "3"], null, [], true, false]);
  },
  "sets the first of a name, and drops the others"() {
    const data = form(["a", "1"], ["b", "2"], ["a", "3"], ["c", "4"]);
    data.set("a", "5");
    data.set("d", "6");
    equal([...data], [["a", "5"], ["b", "2"], ["c", "4"], ["d", "6"]]);
  },
  "deletes all of a name"() {
    const data = form(["a", "1"], ["b", "2"], ["a", "3"]);
    data.delete("a");
    data.delete("x");
    equal([...data], [["b", "2"]]);
  },
  "converts names and values"() {
    equal([...form([1, null], ["\ud800", undefined], [{ toString: () => "o" }, [1, 2]])], [["1", "null"], ["\ufffd", "undefined"], ["o", "1,2"]]);
    throws(() => form([Symbol(), ""]), TypeError);
    throws(() => form(["a", Symbol()]), TypeError);
  },
  "keeps line ends as they are"() { equal(form(["a\nb", "c\r"]).get("a\nb"), "c\r"); },
  async "makes a File of a Blob"() {
    const file = form(["a", new Blob(["x"], { type: "t/t" })]).get("a");
    ok(file instanceof File);
    equal([file.name, file.type, await file.text()], ["blob", "t/t", "x"]);
    equal(form(["a", new Blob(["x"]), "n.txt"]).get("a").name, "n.txt");
  },
  "keeps a File unless it gets a name"() {
    const file = new File(["x"], "f", { type: "t/t", lastModified: 1 });
    ok(form(["a", file]).get("a") === file);
    ok(form(["a", file, undefined]).get("a") === file);
    const other = form(["a", file, "g"]).get("a");
    equal([other.name, other.type], ["g", "t/t"]);
  },
  "takes a filename with Blobs only"() {
    const data = new FormData();
    throws(() => data.append("a", "b", "c"), TypeError);
    throws(() => data.set("a", {}, "c"), TypeError);
    throws(() => data.append("a"), TypeError);
    throws(() => data.set("a"), TypeError);
    for (const name of ["get", "getAll", "has", "delete"]) throws(() => data[name](), TypeError);
  },
  "iterates over what is there now"() {
    const data = form(["a", "1"], ["b", "2"]), seen = [];
    for (const [name] of data) {
      seen.push(name);
      if (name === "a") data.delete("a"), data.append("c", "3");
    }
    equal(seen, ["a", "c"]);
    equal([[...form(["a", "1"]).keys()], [...form(["a", "1"]).values()]], [["a"], ["1"]]);
  },
  "has iterators of their own kind"() {
    const it = form(["a", "1"]).entries();
    equal(Object.prototype.toString.call(it), "[object FormData Iterator]");
    ok(it instanceof Iterator);
    throws(() => it.next.call({}), TypeError);
    throws(() => it.next.call(new Headers().entries()), TypeError);
  },
  "calls back for each"() {
    const data = form(["a", "1"]), calls = [];
    data.forEach(function (...args) { calls.push([this, ...args]); }, 7);
    equal(calls[0].slice(1, 3), ["1", "a"]);
    ok(calls[0][3] === data && calls[0][0] === 7);
    throws(() => data.forEach(), TypeError);
    throws(() => data.forEach({}), TypeError);
  },
  async "writes strings and files"() {
    const data = form(["a", "1"], ["b", new File(["x€"], "f.txt", { type: "text/plain" })], ["c", new Blob(["y"])]);
    equal(await written(data), [
      '--B\r\nContent-Disposition: form-data; name="a"\r\n\r\n1',
      '--B\r\nContent-Disposition: form-data; name="b"; filename="f.txt"\r\nContent-Type: text/plain\r\n\r\nx€',
      '--B\r\nContent-Disposition: form-data; name="c"; filename="blob"\r\nContent-Type: application/octet-stream\r\n\r\ny',
      "--B--\r\n"].join("\r\n"));
    equal(await written(new FormData()), "--B--\r\n");
  },
  async "escapes names, and makes line ends CRLF in strings"() {
    const data = form(['a"\r\n\n', "1\n2\r3\r\n4"], ["b", new Blob(["1\n2"]), 'f"\n\r']);
    equal(await written(data), [
      '--B\r\nContent-Disposition: form-data; name="a%22%0D%0A%0D%0A"\r\n\r\n1\r\n2\r\n3\r\n4',
      '--B\r\nContent-Disposition: form-data; name="b"; filename="f%22%0A%0D"\r\nContent-Type: application/octet-stream\r\n\r\n1\n2',
      "--B--\r\n"].join("\r\n"));
  },
  "writes a boundary that nobody can guess"() {
    const types = [1, 2].map(() => new Response(new FormData()).headers.get("content-type"));
    ok(types[0] !== types[1]);
  },
  async "reads what it writes"() {
    const bytes = Uint8Array.from({ length: 300 }, (_, i) => i);
    const data = form(["a\n\"", "1\r\n2"], ["€", ""], ["f", new File([bytes, "\r\n--B\r\n"], "€\"\n%22", { type: "a/b" })], ["a", "3"]);
    const got = await new Response(data).formData();
    equal([...got.keys()], ["a\r\n\"", "€", "f", "a"]);
    equal(got.getAll("a"), ["3"]);
    equal([got.get("a\r\n\""), got.get("€")], ["1\r\n2", ""]);
    const file = got.get("f");
    equal([file.name, file.type, file.size], ["€\"\n\"", "a/b", 307]);
    equal((await file.bytes()).slice(0, 300), bytes);
  },
  async "reads multipart of others"() {
    const data = await multipart('preamble\n--B \t\ncontent-disposition:form-data;name=a\nX-Other: y\n\n1\n--B\n'
      + 'Content-Type: t/t\nContent-Disposition: form-data; filename="f"; name="b"; other=c\n\n2\n--B--\nepilogue');
    equal([data.get("a"), data.get("b").name, data.get("b").type, await data.get("b").text()], ["1", "f", "t/t", "2"]);
  },
  async "reads a file without a type as text"() {
    equal((await multipart('--B\nContent-Disposition: form-data; name="a"; filename=""\n\n1\n--B--')).get("a").type, "text/plain");
  },
  async "reads empty and binary parts"() {
    equal((await multipart(part("a", "") + part("b", "\n\n--\n") + "--B--")).getAll("b"), ["\r\n\r\n--\r\n"]);
    equal([...await multipart("--B--\n")], []);
    const body = new Blob([part("a", "@").replaceAll("\n", "\r\n").replace("@\r\n", ""), Uint8Array.of(0xef, 0xbb, 0xbf, 0xff), "\r\n--B--"]);
    equal((await parse(body, 'Multipart/Form-Data; Boundary="B"')).get("a"), "\ufeff\ufffd");
  },
  async "refuses what is no multipart"() {
    for (const body of ["", "--", "--B", "--B\n", "--Bx\n", "--B\n--B--", "--B\n\n1\n--B--", part("a", "1"), part("a", "1") + "--C--",
      '--B\nContent-Disposition: attachment; name="a"\n\n1\n--B--', '--B\nContent-Disposition: form-data; name="a\n\n1\n--B--',
      '--B\nContent-Disposition: form-data\n\n1\n--B--', '--B\nno header\n\n1\n--B--']) {
      await rejects(multipart(body), TypeError);
    }
  },
  async "bounds boundaries, heads and parts"() {
    ok((await rejects(parse("--B--", "multipart/form-data"), TypeError)).message.includes("boundary"));
    ok((await rejects(multipart("--B--", "x".repeat(100000)), TypeError)).message.includes("100000"));
    equal([...await multipart(`--${"x".repeat(70)}--`, "x".repeat(70))], []);
    ok((await rejects(multipart(`--B\nContent-Disposition: form-data; name="${"x".repeat(20000)}"\n\n1\n--B--`), TypeError)).message.includes("16384"));
    ok((await rejects(multipart(part("a", "").repeat(10001) + "--B--"), TypeError)).message.includes("10000"));
  },
  async "searches for a boundary in linear time"() {
    const almost = "\r\n--" + "B".repeat(69), n = 20000;
    const body = `--${"B".repeat(70)}\r\nContent-Disposition: form-data; name="a"\r\n\r\n${almost.repeat(n)}\r\n--${"B".repeat(70)}--`;
    equal((await parse(body, `multipart/form-data; boundary=${"B".repeat(70)}`)).get("a").length, almost.length * n);
  },
  async "reads urlencoded bodies"() {
    const read = async (body) => [...await parse(body, "application/x-www-form-urlencoded;charset=latin1")];
    equal(await read("a=1&b=2&a=3"), [["a", "1"], ["b", "2"], ["a", "3"]]);
    equal(await read("?a=1&&=x&y&z==&+=%20%2B"), [["?a", "1"], ["", "x"], ["y", ""], ["z", "="], [" ", " +"]]);
    equal(await read("%E2%82%AC=%ff%zz%4&%EF%BB%BFa=%e"), [["€", "\ufffd%zz%4"], ["\ufeffa", "%e"]]);
    equal(await read(""), []);
  },
  async "reads no other bodies"() {
    await rejects(parse("a=1", "text/plain"), TypeError);
    await rejects(new Response("a=1").formData(), TypeError);
    await rejects(new Response(null).formData(), TypeError);
    await rejects(parse("a=1", ""), TypeError);
  },
});
