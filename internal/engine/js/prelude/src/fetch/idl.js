// Conversions of arguments that Web IDL (section 3.2) asks for, as far as the
// interfaces of this directory need them.
const { apply } = Reflect;
const { min, max, trunc, floor } = Math;

// usv is value as a USVString.
export const usv = (value) => `${value}`.toWellFormed();

const beyondByte = /[^\x00-\xff]/;

// byteString is value as a ByteString.
export const byteString = (what, value) => {
  value = `${value}`;
  if (beyondByte.test(value)) throw new TypeError(`${what}: there is a character above U+00FF in ${shown(value)}`);
  return value;
};

// enumeration is value if it is one of names.
export const enumeration = (what, value, names) => {
  value = `${value}`;
  if (!names.includes(value)) throw new TypeError(`${what}: ${shown(value)} is none of "${names.join('", "')}"`);
  return value;
};

// sequence is the array of what value's iterator yields, each converted. More
// than most are refused, so that an endless iterator ends.
export const sequence = (what, value, convert, most) => {
  const method = isObject(value) ? value[Symbol.iterator] : undefined;
  if (typeof method !== "function") throw new TypeError(`${what}: the argument cannot be iterated over`);
  return collect(what, value, method, convert, most);
};

// collect is sequence for a value whose iterator method is known.
export const collect = (what, value, method, convert, most) => {
  const list = [];
  for (const item of { [Symbol.iterator]: () => apply(method, value, []) }) {
    if (list.length === most) throw new RangeError(`${what}: there are more than ${most} items`);
    list.push(convert(item));
  }
  return list;
};

export const isObject = (value) => typeof value === "object" && value !== null || typeof value === "function";

// clamp is value as a long long with the attribute Clamp.
export const clamp = (value) => {
  value = min(max(+value, Number.MIN_SAFE_INTEGER), Number.MAX_SAFE_INTEGER);
  if (value !== value) return 0;
  const low = floor(value), over = value - low;
  return (over > 0.5 || over === 0.5 && low % 2 !== 0 ? low + 1 : low) + 0;
};

// longLong is value as a long long, which wraps around.
export const longLong = (value) => {
  value = trunc(+value);
  if (Number.isSafeInteger(value)) return value + 0;
  return Number.isFinite(value) ? Number(BigInt.asIntN(64, BigInt(value))) : 0;
};

// unsignedShort is value as an unsigned short, which wraps around.
export const unsignedShort = (value) => {
  value = trunc(+value) % 65536;
  return value >= 0 ? value + 0 : value < 0 ? value + 65536 : 0;
};

// shown is a guest's string as an error tells it.
export const shown = (value) => JSON.stringify(value.length > 100 ? value.slice(0, 100) + "…" : value);
