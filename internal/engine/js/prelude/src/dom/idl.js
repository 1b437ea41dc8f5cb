// What Web IDL asks of every interface (Web IDL, sections 3.2, 3.6 and 3.7).
const { defineProperty, getOwnPropertyNames, getOwnPropertyDescriptor } = Object;

// describe gives a class the properties of an interface: members that can be
// enumerated, a toStringTag, and constants on the class and its prototype.
export const describe = (type, constants = {}) => {
  const { name, prototype } = type;
  for (const object of [type, prototype]) {
    for (const key of getOwnPropertyNames(object)) {
      if (["constructor", "prototype", "length", "name"].includes(key)) continue;
      const d = getOwnPropertyDescriptor(object, key);
      if (d.configurable) defineProperty(object, key, { ...d, enumerable: true });
    }
    for (const [key, value] of Object.entries(constants)) {
      defineProperty(object, key, { value, writable: false, enumerable: true, configurable: false });
    }
  }
  defineProperty(prototype, Symbol.toStringTag, { value: name, configurable: true });
  return type;
};

// need throws unless a call of what has n arguments or more.
export const need = (what, args, n) => {
  if (args.length < n) throw new TypeError(`${what}: ${n} argument${n > 1 ? "s are" : " is"} needed, and ${args.length} present`);
};

// dictionary is value as a dictionary: what is null or undefined has no members.
export const dictionary = (what, value) => {
  if (value === undefined || value === null) return {};
  if (typeof value !== "object" && typeof value !== "function") throw new TypeError(`${what}: the options are not an object`);
  return value;
};

// Identity is a base class whose derived classes add their private fields to
// an object that exists already.
export const Identity = function (object) { return object; };
