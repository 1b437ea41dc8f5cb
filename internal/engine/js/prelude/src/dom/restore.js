// StructuredDeserialize (HTML Standard, section 2.7.6): objects out of the
// records that serialize made. No code of the guest's runs here.
import { DOMException } from "./exception.js";

const { defineProperty } = Object;
const put = (() => {
  const { add } = Set.prototype, { set } = Map.prototype, { apply } = Reflect;
  return { map: (m, k, v) => apply(set, m, [k, v]), set: (s, v) => apply(add, s, [v]) };
})();

const views = Object.fromEntries([
  Int8Array, Uint8Array, Uint8ClampedArray, Int16Array, Uint16Array, Int32Array, Uint32Array,
  BigInt64Array, BigUint64Array, Float16Array, Float32Array, Float64Array,
].map((type) => [type.name, type]));

const errors = new Map([EvalError, RangeError, ReferenceError, SyntaxError, TypeError, URIError].map((type) => [type.name, type]));

const OwnError = Error, OwnDate = Date, OwnRegExp = RegExp, OwnMap = Map, OwnSet = Set, OwnDataView = DataView, OwnBuffer = ArrayBuffer;

// restore returns a record's object, or the primitive.
export const restore = (record) => {
  if (typeof record !== "object" || record === null) return record;
  if (record.made === undefined) makers[record.type](record);
  return record.made;
};

// Objects that can be part of themselves are in made before their parts are.
const makers = {
  object(record) { members(record.made = {}, record.members); },
  array(record) {
    record.made = [];
    record.made.length = record.length;
    members(record.made, record.members);
  },
  error(record) {
    const type = errors.get(record.name) ?? OwnError;
    const error = record.made = new type(record.message);
    hide(error, "stack", record.stack);
    if (record.cause !== undefined) hide(error, "cause", restore(record.cause.value), true);
  },
  exception(record) {
    record.made = new DOMException(record.message, record.name);
    hide(record.made, "stack", record.stack);
  },
  boolean: (record) => { record.made = Object(record.value); },
  number: (record) => { record.made = Object(record.value); },
  string: (record) => { record.made = Object(record.value); },
  bigint: (record) => { record.made = Object(record.value); },
  date: (record) => { record.made = new OwnDate(record.time); },
  regexp: (record) => { record.made = new OwnRegExp(record.source, record.flags); },
  map(record) {
    record.made = new OwnMap();
    for (const [k, v] of record.entries) put.map(record.made, restore(k), restore(v));
  },
  set(record) {
    record.made = new OwnSet();
    for (const v of record.values) put.set(record.made, restore(v));
  },
  buffer(record) {
    record.made = record.max === undefined ? record.buffer : grown(record.buffer, record.max);
  },
  view(record) { record.made = new views[record.name](restore(record.of), record.offset, record.length); },
  dataview(record) { record.made = new OwnDataView(restore(record.of), record.offset, record.length); },
  platform(record) { record.made = record.restore(); },
};

const grown = (buffer, maxByteLength) => {
  const made = new OwnBuffer(buffer.byteLength, { maxByteLength });
  new views.Uint8Array(made).set(new views.Uint8Array(buffer));
  return made;
};

// One descriptor serves all members: none is in use while another is restored.
const member = { __proto__: null, value: undefined, writable: true, enumerable: true, configurable: true };

const members = (object, list) => {
  for (let i = 0; i < list.length; i += 2) {
    const value = restore(list[i + 1]);
    member.value = value;
    defineProperty(object, list[i], member);
  }
  member.value = undefined;
};

const hide = (object, key, value, always = false) => {
  if (value === undefined && !always) return;
  defineProperty(object, key, { __proto__: null, value, writable: true, enumerable: false, configurable: true });
};
