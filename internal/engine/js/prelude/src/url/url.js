// URL (URL Standard, section 6.1), over a parser of Go's that keeps nothing:
// a URL is its text, and where its components are in it.
import { describe, need } from "../dom/idl.js";
import { link, reset, URLSearchParams, usv } from "./params.js";

const { parseURL, setURL } = host;
const uncurry = Function.prototype.bind.bind(Function.prototype.call);
const slice = uncurry(String.prototype.slice);

// The places of offsets, and the parts that can be set, are Go's.
const SCHEME = 0, USERNAME = 1, USERNAME_END = 2, PASSWORD_END = 3, HOST = 4, HOST_END = 5, PORT_END = 6, PATH = 7, PATH_END = 8, QUERY_END = 9;
const offsets = () => new Uint32Array(QUERY_END + 1);
const parts = { protocol: 0, username: 1, password: 2, host: 3, hostname: 4, port: 5, pathname: 6, search: 7, hash: 8 };

const shown = (text) => JSON.stringify(text.length > 100 ? `${slice(text, 0, 100)}…` : text);

// begin is the text of a URL, whose offsets go to at, or undefined.
const begin = (url, base, at) => {
  const href = parseURL(url, base, at);
  return at[SCHEME] === 0 ? undefined : href;
};

const origins = { __proto__: null, "http:": true, "https:": true, "ws:": true, "wss:": true, "ftp:": true };

const absent = {}; // the argument of a constructor that a static method fills in

export class URL {
  #href;
  #at;
  #params;

  constructor(url, base = undefined) {
    if (url === absent) return;
    need("URL", arguments, 1);
    url = usv(url);
    if (base !== undefined) base = usv(base);
    const at = offsets(), href = parseURL(url, base, at);
    if (at[SCHEME] === 0) throw new TypeError(`URL: ${shown(url)} is not valid: ${href}`);
    this.#href = href;
    this.#at = at;
  }

  static parse(url, base = undefined) {
    need("URL.parse", arguments, 1);
    url = usv(url);
    if (base !== undefined) base = usv(base);
    const at = offsets(), href = begin(url, base, at);
    if (href === undefined) return null;
    const made = new URL(absent);
    made.#href = href;
    made.#at = at;
    return made;
  }

  static canParse(url, base = undefined) {
    need("URL.canParse", arguments, 1);
    url = usv(url);
    if (base !== undefined) base = usv(base);
    return begin(url, base, offsets()) !== undefined;
  }

  #slice(from, to) { return slice(this.#href, from, to); }

  #part(from, to) { return slice(this.#href, this.#at[from], this.#at[to]); }

  // #after is what follows a mark, if it is there.
  #after(mark, end) { return this.#at[end] > this.#at[mark] ? this.#slice(this.#at[mark] + 1, this.#at[end]) : ""; }

  #set(part, value) {
    value = usv(value);
    const at = offsets(), href = setURL(this.#href, parts[part], value, at);
    if (href === undefined) return;
    this.#href = href;
    this.#at = at;
  }

  #resetParams() {
    if (this.#params !== undefined) reset(this.#params, this.#after(PATH_END, QUERY_END));
  }

  get href() { return this.#href; }
  set href(value) {
    value = usv(value);
    const at = offsets(), href = parseURL(value, undefined, at);
    if (at[SCHEME] === 0) throw new TypeError(`URL.href: ${shown(value)} is not valid: ${href}`);
    this.#href = href;
    this.#at = at;
    this.#resetParams();
  }

  get origin() {
    const { protocol } = this;
    if (origins[protocol]) return `${protocol}//${this.host}`;
    if (protocol !== "blob:") return "null";
    const inner = URL.parse(this.pathname);
    return inner !== null && (inner.protocol === "http:" || inner.protocol === "https:") ? inner.origin : "null";
  }

  get protocol() { return this.#slice(0, this.#at[SCHEME]); }
  set protocol(value) { this.#set("protocol", value); }

  get username() { return this.#part(USERNAME, USERNAME_END); }
  set username(value) { this.#set("username", value); }

  get password() { return this.#after(USERNAME_END, PASSWORD_END); }
  set password(value) { this.#set("password", value); }

  get host() { return this.#part(HOST, PORT_END); }
  set host(value) { this.#set("host", value); }

  get hostname() { return this.#part(HOST, HOST_END); }
  set hostname(value) { this.#set("hostname", value); }

  get port() { return this.#after(HOST_END, PORT_END); }
  set port(value) { this.#set("port", value); }

  get pathname() { return this.#part(PATH, PATH_END); }
  set pathname(value) { this.#set("pathname", value); }

  get search() {
    const search = this.#part(PATH_END, QUERY_END);
    return search.length > 1 ? search : "";
  }
  set search(value) {
    this.#set("search", value);
    this.#resetParams();
  }

  get searchParams() {
    if (this.#params === undefined) {
      const params = new URLSearchParams();
      reset(params, this.#after(PATH_END, QUERY_END));
      link(params, (query) => this.#set("search", query));
      this.#params = params;
    }
    return this.#params;
  }

  get hash() {
    const hash = this.#slice(this.#at[QUERY_END]);
    return hash.length > 1 ? hash : "";
  }
  set hash(value) { this.#set("hash", value); }

  toString() { return this.#href; }
  toJSON() { return this.#href; }
}
// The bundler calls it otherwise, since a package means the global object's URL.
Object.defineProperty(URL, "name", { value: "URL", configurable: true });
describe(URL);
