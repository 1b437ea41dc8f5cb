// The built-in methods that structured cloning uses, as they were before the
// program ran, and the kinds of objects that it knows.
const { apply } = Reflect;
const { getOwnPropertyDescriptor, getPrototypeOf } = Object;
const uncurry = (f) => (self, ...args) => apply(f, self, args);
const getter = (proto, name) => uncurry(getOwnPropertyDescriptor(proto, name).get);
const typed = getPrototypeOf(Uint8Array.prototype);

// drain lists what an iterator yields by its own next, whatever the guest has
// done to the iterator's prototype.
const drain = (start, next) => (self) => {
  const values = [], it = start(self);
  for (let s = next(it); !s.done; s = next(it)) values[values.length] = s.value;
  return values;
};

const OwnBytes = Uint8Array, viewBuffer = getter(typed, "buffer");

export const methods = {
  mapEntries: drain(uncurry(Map.prototype.entries), uncurry(getPrototypeOf(new Map().entries()).next)),
  setValues: drain(uncurry(Set.prototype.values), uncurry(getPrototypeOf(new Set().values()).next)),
  dateValue: uncurry(Date.prototype.getTime),
  regExpSource: getter(RegExp.prototype, "source"),
  regExpFlags: getter(RegExp.prototype, "flags"),
  booleanValue: uncurry(Boolean.prototype.valueOf),
  numberValue: uncurry(Number.prototype.valueOf),
  stringValue: uncurry(String.prototype.valueOf),
  bigintValue: uncurry(BigInt.prototype.valueOf),
  bufferDetached: getter(ArrayBuffer.prototype, "detached"),
  bufferLength: getter(ArrayBuffer.prototype, "byteLength"),
  bufferMax: getter(ArrayBuffer.prototype, "maxByteLength"),
  bufferResizable: getter(ArrayBuffer.prototype, "resizable"),
  bufferTransfer: uncurry(ArrayBuffer.prototype.transfer),
  bufferCopy: (buffer) => viewBuffer(new OwnBytes(new OwnBytes(buffer))),
  viewBuffer,
  viewOffset: getter(typed, "byteOffset"),
  viewLength: getter(typed, "length"),
  viewTag: getter(typed, Symbol.toStringTag),
  dataBuffer: getter(DataView.prototype, "buffer"),
  dataOffset: getter(DataView.prototype, "byteOffset"),
  dataLength: getter(DataView.prototype, "byteLength"),
};

export const kindOf = host.kind;

// kinds maps the engine's numbers of internal classes to types of records.
export const kinds = new Map([
  [{}, "object"], [(function () { return arguments; })(), "object"], [[], "array"], [new Error(), "error"],
  [Object(true), "boolean"], [Object(1), "number"], [Object(""), "string"], [Object(1n), "bigint"],
  [new Date(0), "date"], [/x/, "regexp"], [new Map(), "map"], [new Set(), "set"],
  [new ArrayBuffer(0), "buffer"], [new DataView(new ArrayBuffer(0)), "dataview"],
].map(([example, type]) => [kindOf(example), type]));
