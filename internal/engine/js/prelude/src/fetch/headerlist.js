// A header list (Fetch Standard, section 2.2.2): names keep their letters as
// they were first written, and are compared without regard to case.
import { lower } from "./text.js";

// What a list may hold. Every way to fill one is measured by it.
export const MOST_VALUES = 10000;
const MOST_BYTES = 1 << 20;

export class HeaderList {
  #byName = new Map(); // lower-case name → { name, values }
  #sorted = null;
  #count = 0;
  #bytes = 0;

  #grow(name, value) {
    const bytes = this.#bytes + name.length + value.length;
    if (this.#count === MOST_VALUES) throw new RangeError(`Headers: there are ${MOST_VALUES} values already`);
    if (bytes > MOST_BYTES) throw new RangeError(`Headers: names and values would take more than ${MOST_BYTES} bytes`);
    this.#bytes = bytes;
    this.#count++;
    this.#sorted = null;
  }

  #shrink({ name, values }) {
    for (const value of values) this.#bytes -= name.length + value.length;
    this.#count -= values.length;
    this.#sorted = null;
  }

  has(name) { return this.#byName.has(lower(name)); }

  // get is the name's combined value, or null.
  get(name) { return this.#byName.get(lower(name))?.values.join(", ") ?? null; }

  // all is a copy of the name's values.
  all(name) { return [...this.#byName.get(lower(name))?.values ?? []]; }

  append(name, value) {
    this.#grow(name, value);
    const key = lower(name), entry = this.#byName.get(key);
    if (entry === undefined) this.#byName.set(key, { name, values: [value] });
    else entry.values.push(value);
  }

  // set leaves value as the name's only one, where its first was.
  set(name, value) {
    const entry = this.#byName.get(lower(name));
    if (entry === undefined) return this.append(name, value);
    this.#shrink(entry);
    entry.values = [];
    this.append(name, value);
  }

  delete(name) {
    const key = lower(name), entry = this.#byName.get(key);
    if (entry === undefined) return;
    this.#shrink(entry);
    this.#byName.delete(key);
  }

  // sorted is what a Headers object is iterated over by: [lower-case name,
  // combined value], but each Set-Cookie by itself ("sort and combine").
  sorted() {
    this.#sorted ??= [...this.#byName.keys()].sort().flatMap((key) => {
      const { values } = this.#byName.get(key);
      return key === "set-cookie" ? values.map((value) => [key, value]) : [[key, values.join(", ")]];
    });
    return this.#sorted;
  }

  // pairs is the list as it is sent: [name, value], repeated names included.
  pairs() {
    return [...this.#byName.values()].flatMap(({ name, values }) => values.map((value) => [name, value]));
  }

  copy() {
    const list = new HeaderList();
    for (const [name, value] of this.pairs()) list.append(name, value);
    return list;
  }
}
