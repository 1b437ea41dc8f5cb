// What the modules of this directory call, taken before any guest code runs: a
// guest that replaces a method or an iterator must not see what a key is made
// of. For the same reason they spread and destructure no arrays that carry it,
// and never resolve a promise with it.
const { apply, getPrototypeOf } = Reflect;
const { getOwnPropertyDescriptor } = Object;

export const uncurry = (f) => (self, ...args) => apply(f, self, args);
export const getterOf = (prototype, name) => {
  const { get } = getOwnPropertyDescriptor(prototype, name);
  return (object) => apply(get, object, []);
};

export const { Uint8Array, ArrayBuffer, Promise, TypeError, Symbol, String, Number } = globalThis;
export const typedArray = getPrototypeOf(Uint8Array.prototype);
export const { isView } = ArrayBuffer;
export const { fromBase64 } = Uint8Array;
export const { stringify, parse } = JSON;
export const { trunc } = Math;
export const iteratorKey = Symbol.iterator;
export const toBase64 = uncurry(Uint8Array.prototype.toBase64);
export const setBytes = uncurry(typedArray.set), fillBytes = uncurry(typedArray.fill);
export const subarray = uncurry(typedArray.subarray);
export const upperCase = uncurry(String.prototype.toUpperCase), codeAt = uncurry(String.prototype.charCodeAt);
export const matches = uncurry(RegExp.prototype.test);
export const transfer = uncurry(ArrayBuffer.prototype.transfer);
export const setPrototypeOf = Reflect.setPrototypeOf;
