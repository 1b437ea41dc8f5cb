// What structured cloning knows of the platform's own objects (HTML Standard,
// sections 2.7.1 and 2.7.2).
const { getPrototypeOf, prototype: plain } = Object;

// serializers maps an interface to a function that takes an object of it and
// returns a function that makes the copy. transferrers does the same for
// transfers: the object is of no more use then.
export const serializers = new Map();
export const transferrers = new Map();

// serializable and transferable are for the areas that the interfaces are of.
export const serializable = (type, serializer) => { serializers.set(type, serializer); };
export const transferable = (type, transferrer) => { transferrers.set(type, transferrer); };

// Interfaces by their prototypes, for what no one may take for a plain object.
const interfaces = new Map();

// interfaceOf is the interface that value is an object of, or undefined.
export const interfaceOf = (value) => {
  for (let proto = getPrototypeOf(value); proto !== null && proto !== plain; proto = getPrototypeOf(proto)) {
    const type = interfaces.get(proto);
    if (type !== undefined) return type;
  }
};

// learn notes what define puts on the global object.
export const learn = (value) => {
  if (typeof value === "function" && value.prototype !== undefined) interfaces.set(value.prototype, value);
};
