// structuredClone (HTML Standard, sections 2.7.3 to 2.7.10).
import { define } from "../define.js";
import { kindOf, kinds, methods } from "./builtins.js";
import { DOMException } from "./exception.js";
import { dictionary, need } from "./idl.js";
import { interfaceOf, transferrers } from "./platform.js";
import { restore } from "./restore.js";
import { refuse, serialize } from "./serialize.js";

const { bufferDetached, bufferTransfer } = methods;

const isObject = (value) => (typeof value === "object" && value !== null) || typeof value === "function";

// listOf reads the transfer list, a sequence of objects.
const listOf = (transfer) => {
  if (transfer === undefined) return [];
  if (!isObject(transfer)) throw new TypeError("the transfer list is not a sequence");
  const list = [...transfer];
  if (!list.every(isObject)) throw new TypeError("the transfer list has a value that is no object");
  return list;
};

const isBuffer = (value) => kinds.get(kindOf(value)) === "buffer";

// plan returns a function that moves value when everything else has worked.
const plan = (value) => {
  if (isBuffer(value)) {
    return () => {
      if (bufferDetached(value)) throw refuse("a detached ArrayBuffer");
      return bufferTransfer(value);
    };
  }
  const transferrer = typeof value === "object" ? transferrers.get(interfaceOf(value)) : undefined;
  if (transferrer === undefined) throw new DOMException("a value of the transfer list cannot be transferred", "DataCloneError");
  return () => transferrer(value);
};

// pack serializes value with what is transferred along (section 2.7.7). The
// result is for unpack, once.
export const pack = (value, transfer) => {
  const memory = new Map(), moves = [];
  for (const object of listOf(transfer)) {
    if (memory.has(object)) throw new DOMException("the transfer list has a value twice", "DataCloneError");
    const record = { type: "transferred", made: undefined };
    memory.set(object, record);
    moves.push([record, plan(object)]);
  }
  const root = serialize(value, memory);
  for (const [record, move] of moves) record.made = move();
  return { root, moved: moves.map(([record]) => record) };
};

// unpack returns the copy, and what was transferred.
export const unpack = ({ root, moved }) => {
  const value = restore(root);
  return { value, transferred: moved.map((record) => record.made) };
};

define({
  structuredClone(value, options = undefined) {
    need("structuredClone", arguments, 1);
    return unpack(pack(value, dictionary("structuredClone", options).transfer)).value;
  },
}, { enumerable: true });
