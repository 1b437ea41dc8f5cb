// StructuredSerializeInternal (HTML Standard, section 2.7.3): a value as
// records, which refer to nothing that the guest could still change.
import { kindOf, kinds, methods } from "./builtins.js";
import { DOMException, headOf } from "./exception.js";
import { interfaceOf, serializers } from "./platform.js";

const { mapEntries, setValues, dateValue, regExpSource, regExpFlags, booleanValue, numberValue, stringValue, bigintValue } = methods;
const { bufferCopy, bufferDetached, bufferMax, bufferResizable } = methods;
const { viewBuffer, viewOffset, viewLength, viewTag, dataBuffer, dataOffset, dataLength } = methods;
const { keys, hasOwn, getOwnPropertyDescriptor } = Object;

// Record is an object as it was; type says what its other members are, and
// whoever restores it keeps the new object in made.
class Record {
  made = undefined;
  constructor(type) { this.type = type; }
}

export const refuse = (what) => new DOMException(`${what} cannot be cloned`, "DataCloneError");

// serialize returns value's record, or value itself if it is a primitive.
// Memory maps objects to their records; those of transferred ones are there
// before.
export const serialize = (value, memory) => {
  if (typeof value === "symbol") throw refuse("a symbol");
  if (typeof value === "function") throw refuse("a function");
  if (typeof value !== "object" || value === null) return value;
  const known = memory.get(value);
  if (known !== undefined) return known;
  const type = kinds.get(kindOf(value)) ?? (isArrayBufferView(value) ? "view" : undefined);
  if (type === undefined) throw refuse("an object of this kind");
  const record = new Record(type);
  memory.set(value, record);
  parts[type](record, value, memory);
  return record;
};

const isArrayBufferView = (value) => viewTag(value) !== undefined;

const parts = {
  object(record, value, memory) {
    const type = interfaceOf(value);
    if (type === undefined) return members(record, value, memory);
    const serializer = serializers.get(type);
    if (serializer === undefined) throw refuse(`a ${type.name}`);
    record.type = "platform";
    record.restore = serializer(value);
  },
  array(record, value, memory) {
    record.length = value.length;
    members(record, value, memory);
  },
  error(record, value, memory) {
    if (headOf(value) !== undefined) {
      Object.assign(record, { type: "exception", name: value.name, message: value.message, stack: textOf(value, "stack") });
      return;
    }
    const { name } = value;
    record.name = name === undefined ? "Error" : `${name}`;
    record.message = textOf(value, "message");
    record.stack = textOf(value, "stack");
    if (hasOwn(value, "cause")) record.cause = { value: serialize(value.cause, memory) };
  },
  boolean(record, value) { record.value = booleanValue(value); },
  number(record, value) { record.value = numberValue(value); },
  string(record, value) { record.value = stringValue(value); },
  bigint(record, value) { record.value = bigintValue(value); },
  date(record, value) { record.time = dateValue(value); },
  regexp(record, value) { record.source = regExpSource(value); record.flags = regExpFlags(value); },
  map(record, value, memory) {
    const copy = mapEntries(value);
    record.entries = copy.map(([k, v]) => [serialize(k, memory), serialize(v, memory)]);
  },
  set(record, value, memory) {
    const copy = setValues(value);
    record.values = copy.map((v) => serialize(v, memory));
  },
  buffer(record, value) {
    if (bufferDetached(value)) throw refuse("a detached ArrayBuffer");
    record.buffer = bufferCopy(value);
    if (bufferResizable(value)) record.max = bufferMax(value);
  },
  view(record, value, memory) {
    record.name = viewTag(value);
    record.of = bufferRecord(viewBuffer(value), memory);
    record.offset = viewOffset(value);
    record.length = viewLength(value);
  },
  dataview(record, value, memory) {
    record.of = bufferRecord(dataBuffer(value), memory);
    record.offset = dataOffset(value);
    record.length = dataLength(value);
  },
};

const bufferRecord = (buffer, memory) => {
  if (kinds.get(kindOf(buffer)) !== "buffer") throw refuse("a SharedArrayBuffer");
  return serialize(buffer, memory);
};

// members keeps the own enumerable properties whose keys are strings, a key and
// a value in turn. A getter may remove others.
const members = (record, value, memory) => {
  const list = keys(value), kept = record.members = [];
  for (let i = 0, n = 0; i < list.length; i++) {
    if (!hasOwn(value, list[i])) continue;
    kept[n++] = list[i];
    kept[n++] = serialize(value[list[i]], memory);
  }
};

// textOf is an own data property as text, and undefined if there is none.
const textOf = (value, name) => {
  const d = getOwnPropertyDescriptor(value, name);
  return d !== undefined && "value" in d ? `${d.value}` : undefined;
};
