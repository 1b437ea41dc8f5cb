// Values as text, in the manner of Node's console: host.show for one value,
// host.describe for what was thrown.
//
// Showing a value never calls a getter, a trap or a method of it. It stops when
// the text is as long as a line may be, whatever the value's size.
import { headOf } from "./dom/exception.js";

const { isProxy, promise, result, primitive, showKey } = host;
const MOST_TEXT = host.cutText() + 1, MOST_ITEMS = 100, WIDTH = 72, DEPTH = 2;
const describeOwn = Object.getOwnPropertyDescriptor, ownKeys = Reflect.ownKeys, protoOf = Object.getPrototypeOf;
const apply = Reflect.apply;
const uncurry = (f) => (self, ...args) => apply(f, self, args);
const getterOf = (proto, name) => uncurry(describeOwn(proto, name).get);

// test returns f's result, or undefined when it throws: the way to ask a
// built-in what its argument is.
const test = (f) => (value) => { try { return f(value); } catch { return undefined; } };
const mapSize = test(getterOf(Map.prototype, "size")), setSize = test(getterOf(Set.prototype, "size"));
const dateValue = test(uncurry(Date.prototype.getTime)), isoDate = uncurry(Date.prototype.toISOString);
const regExpText = test(uncurry(RegExp.prototype.toString)), regExpFlags = test(uncurry(describeOwn(RegExp.prototype, "global").get));
const typedTag = test(getterOf(protoOf(Uint8Array.prototype), Symbol.toStringTag));
const typedLength = test(getterOf(protoOf(Uint8Array.prototype), "length"));
const bufferLength = test(getterOf(ArrayBuffer.prototype, "byteLength"));
const boxed = [[Number, "Number"], [String, "String"], [Boolean, "Boolean"], [BigInt, "BigInt"], [Symbol, "Symbol"]]
  .map(([type, name]) => [test(uncurry(type.prototype.valueOf)), name]);
const isWeakMap = test((v) => (weakMapHas(v, {}), true)), isWeakSet = test((v) => (weakSetHas(v, {}), true));
const weakMapHas = uncurry(WeakMap.prototype.has), weakSetHas = uncurry(WeakSet.prototype.has);
const mapEntries = uncurry(Map.prototype.entries), setValues = uncurry(Set.prototype.values);
const nextEntry = uncurry(protoOf(new Map().entries()).next), nextValue = uncurry(protoOf(new Set().values()).next);
const isError = Error.isError ?? ((v) => v instanceof Error);
const functionText = uncurry(Function.prototype.toString);
const includes = uncurry(String.prototype.includes);
const split = uncurry(String.prototype.split), startsWith = uncurry(String.prototype.startsWith), join = uncurry(Array.prototype.join);
const matches = uncurry(RegExp.prototype.test);
const { isArray } = Array;

// The value of an own data property of value or its prototypes.
const dataOf = (value, name) => {
  for (let o = value, hops = 0; o !== null && hops < 100 && !isProxy(o); o = protoOf(o), hops++) {
    const d = describeOwn(o, name);
    if (d !== undefined) return d.value;
  }
};
const textOf = (value, name) => {
  const v = dataOf(value, name);
  return typeof v === "string" ? v : "";
};

const className = (value) => {
  const proto = protoOf(value);
  if (proto === null) return null;
  const f = dataOf(proto, "constructor");
  const name = typeof f === "function" && !isProxy(f) ? textOf(f, "name") : "";
  return name === "" ? "Object" : name;
};

const showFunction = (f) => {
  const name = textOf(f, "name");
  if (startsWith(functionText(f), "class")) {
    const parent = protoOf(f);
    const extended = typeof parent === "function" && !isProxy(parent) ? textOf(parent, "name") : "";
    return `[class ${name || "(anonymous)"}${extended && ` extends ${extended}`}]`;
  }
  const type = className(f) ?? "Function";
  return name === "" ? `[${type} (anonymous)]` : `[${type}: ${name}]`;
};

// The prelude's own frames say nothing to the guest.
const stackOf = (error) => {
  const lines = split(textOf(error, "stack"), "\n"), kept = [];
  for (let i = 0; i < lines.length && i < 100; i++) {
    if (lines[i] !== "" && !includes(lines[i], "(mp:")) kept[kept.length] = lines[i];
  }
  return join(kept, "\n");
};

const errorHead = (error) => {
  const head = headOf(error);
  if (head !== undefined) return head;
  const name = textOf(error, "name") || className(error) || "Error", message = textOf(error, "message");
  return message === "" ? name : `${name}: ${message}`;
};

// Printer holds the state of showing one value.
class Printer {
  constructor(depth) {
    this.depth = depth;
    this.path = [];     // the objects that are being shown
    this.circular = []; // those of them that came up again
    this.room = MOST_TEXT;
  }

  show(value) {
    if (this.room <= 0) return "...";
    const text = (typeof value === "object" && value !== null) || typeof value === "function" ? this.object(value) : primitive(value);
    this.room -= text.length > 80 ? 80 : text.length; // what is nested was counted already
    return text;
  }

  object(value) {
    if (isProxy(value)) return "[Proxy]";
    const up = this.path.indexOf(value);
    if (up >= 0) {
      let n = this.circular.indexOf(value);
      if (n < 0) n = this.circular.push(value) - 1;
      return `[Circular *${n + 1}]`;
    }
    const { head, items, braces, skip } = this.parts(value);
    if (items === undefined && !this.hasMembers(value, skip)) return this.empty(head, braces);
    if (this.path.length > this.depth) return isArray(value) ? "[Array]" : `[${className(value) ?? "Object: null prototype"}]`;
    this.path.push(value);
    const shown = items === undefined ? [] : items();
    this.members(value, skip, shown);
    this.path.pop();
    const n = this.circular.indexOf(value);
    return (n < 0 ? "" : `<ref *${n + 1}> `) + this.layout(head, shown, braces);
  }

  empty(head, braces) {
    return braces === undefined ? head : head === "" ? `${braces[0]}${braces[1]}` : `${head} ${braces[0]}${braces[1]}`;
  }

  // parts says how a value of its kind is shown: text before the braces, a
  // function that shows what its members are not, and which keys to leave.
  parts(value) {
    const name = className(value);
    const prefix = name === null ? "[Object: null prototype]" : name === "Object" ? "" : name;
    const braces = ["{", "}"], list = ["[", "]"];
    if (typeof value === "function") return { head: showFunction(value), skip: functionKeys };
    if (isArray(value)) {
      const head = name === "Array" ? "" : `${name ?? "[Array: null prototype]"}(${value.length})`;
      return { head, braces: list, items: value.length > 0 ? () => this.array(value) : undefined, skip: isIndex };
    }
    if (isError(value)) return this.error(value);
    const tag = typedTag(value);
    if (tag !== undefined) {
      const n = typedLength(value);
      return { head: `${tag}(${n})`, braces: list, items: n > 0 ? () => this.typed(value, n) : undefined, skip: isIndex };
    }
    let n = mapSize(value);
    if (n !== undefined) return { head: `${name ?? "Map"}(${n})`, braces, items: n > 0 ? () => this.map(value, n) : undefined };
    n = setSize(value);
    if (n !== undefined) return { head: `${name ?? "Set"}(${n})`, braces, items: n > 0 ? () => this.set(value, n) : undefined };
    const time = dateValue(value);
    if (time !== undefined) return { head: time === time ? isoDate(value) : "Invalid Date" };
    if (value !== RegExp.prototype && regExpFlags(value) !== undefined) return { head: regExpText(value) ?? "[RegExp]" };
    const state = promise(value);
    if (state !== undefined) return { head: "Promise", braces, items: () => [this.promise(value, state)] };
    const length = bufferLength(value);
    if (length !== undefined) return { head: "ArrayBuffer", braces, items: () => [`byteLength: ${length}`] };
    if (isWeakMap(value)) return { head: "WeakMap", braces, items: () => ["<items unknown>"] };
    if (isWeakSet(value)) return { head: "WeakSet", braces, items: () => ["<items unknown>"] };
    for (let i = 0; i < boxed.length; i++) {
      const inner = boxed[i][0](value);
      if (inner !== undefined) return { head: `[${boxed[i][1]}: ${primitive(inner)}]`, skip: isIndexOrLength };
    }
    const symbol = dataOf(value, Symbol.toStringTag);
    const extra = typeof symbol === "string" && symbol !== "" && symbol !== name ? `[${symbol}]` : "";
    return { head: extra === "" ? prefix : `${prefix || "Object"} ${extra}`, braces };
  }

  error(value) {
    const stack = stackOf(value), head = errorHead(value);
    const text = stack === "" ? `[${head}]` : `${head}\n${stack}`;
    return { head: text, braces: undefined, skip: errorKeys, items: () => {
      const shown = [], cause = describeOwn(value, "cause"), errors = describeOwn(value, "errors");
      if (cause !== undefined && "value" in cause) shown.push(`[cause]: ${this.show(cause.value)}`);
      if (errors !== undefined && isArray(errors.value)) shown.push(`[errors]: ${this.show(errors.value)}`);
      return shown;
    } };
  }

  promise(value, state) {
    if (state === "pending") return "<pending>";
    return (state === "rejected" ? "<rejected> " : "") + this.show(result(value));
  }

  array(value) {
    const shown = [], n = value.length;
    let holes = 0, i = 0;
    const flush = () => { if (holes > 0) shown.push(`<${holes} empty item${holes > 1 ? "s" : ""}>`); holes = 0; };
    // An array may be 4 billion holes: they are looked for a while only.
    for (; i < n && shown.length < MOST_ITEMS && this.room > 0 && i < 10000; i++) {
      const d = describeOwn(value, i);
      if (d === undefined) { holes++; continue; }
      flush();
      shown.push(this.property(d));
    }
    if (holes > 0 && holes === i) { holes += n - i; i = n; }
    flush();
    if (i < n) shown.push(`... ${n - i} more item${n - i > 1 ? "s" : ""}`);
    return shown;
  }

  typed(value, n) {
    const shown = [];
    for (let i = 0; i < n && i < MOST_ITEMS; i++) shown.push(primitive(value[i]));
    if (n > MOST_ITEMS) shown.push(`... ${n - MOST_ITEMS} more item${n - MOST_ITEMS > 1 ? "s" : ""}`);
    return shown;
  }

  map(value, n) {
    const shown = [], it = mapEntries(value);
    for (let s = nextEntry(it); !s.done && shown.length < MOST_ITEMS && this.room > 0; s = nextEntry(it)) {
      shown.push(`${this.show(s.value[0])} => ${this.show(s.value[1])}`);
    }
    if (n > shown.length) shown.push(`... ${n - shown.length} more item${n - shown.length > 1 ? "s" : ""}`);
    return shown;
  }

  set(value, n) {
    const shown = [], it = setValues(value);
    for (let s = nextValue(it); !s.done && shown.length < MOST_ITEMS && this.room > 0; s = nextValue(it)) shown.push(this.show(s.value));
    if (n > shown.length) shown.push(`... ${n - shown.length} more item${n - shown.length > 1 ? "s" : ""}`);
    return shown;
  }

  property(d) {
    if ("value" in d) return this.show(d.value);
    return d.get === undefined ? "[Setter]" : d.set === undefined ? "[Getter]" : "[Getter/Setter]";
  }

  hasMembers(value, skip) {
    const keys = keysOf(value);
    for (let i = 0; i < keys.length; i++) {
      if (!(skip && skip(keys[i])) && describeOwn(value, keys[i])?.enumerable) return true;
    }
    return false;
  }

  // members adds the enumerable properties to shown.
  members(value, skip, shown) {
    const keys = keysOf(value), start = shown.length;
    let left = 0;
    for (let i = 0; i < keys.length; i++) {
      const key = keys[i];
      if (skip && skip(key)) continue;
      if (shown.length - start >= MOST_ITEMS || this.room <= 0) { left = keys.length - i; break; }
      const d = describeOwn(value, key);
      if (d !== undefined && d.enumerable) shown.push(`${showKey(key)}: ${this.property(d)}`);
    }
    if (left > 0) shown.push(`... ${left} more key${left > 1 ? "s" : ""}`);
  }

  layout(head, shown, braces) {
    if (braces === undefined) {
      if (shown.length === 0) return head;
      braces = ["{", "}"];
    }
    const before = head === "" ? braces[0] : `${head} ${braces[0]}`;
    let width = before.length, lines = false;
    for (let i = 0; i < shown.length; i++) {
      width += shown[i].length + 2;
      lines ||= includes(shown[i], "\n");
    }
    if (!lines && width <= WIDTH) return `${before} ${join(shown, ", ")} ${braces[1]}`;
    const pad = "\n" + "  ".repeat(this.path.length + 1);
    return `${before}${pad}${join(shown, "," + pad)}\n${"  ".repeat(this.path.length)}${braces[1]}`;
  }
}

// The keys of a long array would take many times its memory: members that it
// has beside its elements are not shown.
const LONG = 1000;
const keysOf = (value) => {
  const n = isArray(value) ? value.length : typedLength(value) ?? 0;
  return n > LONG ? [] : ownKeys(value);
};
const isIndex = (key) => typeof key === "string" && matches(/^\d+$/, key);
const isIndexOrLength = (key) => key === "length" || isIndex(key);
const functionKeys = (key) => key === "prototype" || key === "length" || key === "name";
const errorKeys = (key) => key === "stack" || key === "message" || key === "cause" || key === "errors";

host.show = (value, options) => {
  let depth = DEPTH;
  if (typeof options === "object" && options !== null) {
    const d = dataOf(options, "depth");
    if (d === null || d === Infinity) depth = 20;
    else if (typeof d === "number") depth = d > 20 ? 20 : d;
  }
  return new Printer(depth).show(value);
};
host.describe = (value) => host.show(value);
