// crypto.getRandomValues and crypto.randomUUID (Web Cryptography API, section
// 10.1), from a generator that is seeded anew for each instance.
const MOST = 65536;
const { random } = host;
const typedArray = Object.getPrototypeOf(Uint8Array.prototype);
const getter = (name) => {
  const get = Object.getOwnPropertyDescriptor(typedArray, name).get;
  return (array) => Reflect.apply(get, array, []);
};
const buffer = getter("buffer"), byteOffset = getter("byteOffset"), byteLength = getter("byteLength");
const tag = (value) => Reflect.apply(Object.getOwnPropertyDescriptor(typedArray, Symbol.toStringTag).get, value, []);
const integers = new Set(["Int8Array", "Uint8Array", "Uint8ClampedArray", "Int16Array", "Uint16Array", "Int32Array", "Uint32Array", "BigInt64Array", "BigUint64Array"]);
const isInteger = integers.has.bind(integers);

const getRandomValues = function getRandomValues(array) {
  if (!isInteger(tag(array))) throw new TypeError("crypto.getRandomValues: the argument is not an array of integers");
  const n = byteLength(array);
  if (n > MOST) {
    const error = new RangeError(`crypto.getRandomValues: ${n} bytes are more than ${MOST}`);
    error.name = "QuotaExceededError";
    throw error;
  }
  random(buffer(array), byteOffset(array), n);
  return array;
};

const hex = Array.from({ length: 256 }, (_, i) => (i + 256).toString(16).slice(1));
const randomUUID = function randomUUID() {
  const b = getRandomValues(new Uint8Array(16));
  b[6] = (b[6] & 0x0f) | 0x40;
  b[8] = (b[8] & 0x3f) | 0x80;
  let s = "";
  for (let i = 0; i < 16; i++) s += (i === 4 || i === 6 || i === 8 || i === 10 ? "-" : "") + hex[b[i]];
  return s;
};

const crypto = Object.create({ [Symbol.toStringTag]: "Crypto" }, {
  getRandomValues: { value: getRandomValues, enumerable: true },
  randomUUID: { value: randomUUID, enumerable: true },
});
Object.defineProperty(globalThis, "crypto", { value: crypto, writable: true, enumerable: true, configurable: true });
