// The iterators of an interface with pairs (Web IDL, sections 2.5.9 and 3.7.9).
const { apply } = Reflect;
const { defineProperty, create, getPrototypeOf } = Object;
const iteratorPrototype = getPrototypeOf(getPrototypeOf([][Symbol.iterator]()));

// State is what an iterator object of ours goes through.
class State {
  #pairs; #pick; #next = 0;

  constructor(pairs, pick) {
    this.#pairs = pairs;
    this.#pick = pick;
  }

  step() {
    const pairs = this.#pairs();
    if (this.#next >= pairs.length) return { value: undefined, done: true };
    return { value: this.#pick(pairs[this.#next++]), done: false };
  }
}

const key = ([name]) => name, value = ([, value]) => value, both = ([name, value]) => [name, value];

// includePairs gives a class entries, forEach, keys, values and its default
// iterator. pairsOf returns an object's pairs as they are now.
export const includePairs = (type, pairsOf) => {
  const states = new WeakMap(), stateOf = states.get.bind(states);
  const prototype = create(iteratorPrototype, {
    next: {
      value: function next() {
        const state = stateOf(this);
        if (state === undefined) throw new TypeError(`this is not a ${type.name} Iterator`);
        return state.step();
      },
      writable: true, enumerable: true, configurable: true,
    },
    [Symbol.toStringTag]: { value: `${type.name} Iterator`, configurable: true },
  });
  const iterator = (object, pick) => {
    pairsOf(object); // throws for an object of another interface
    const it = create(prototype);
    states.set(it, new State(() => pairsOf(object), pick));
    return it;
  };
  const members = {
    entries() { return iterator(this, both); },
    keys() { return iterator(this, key); },
    values() { return iterator(this, value); },
    forEach(callback, thisArg = undefined) {
      pairsOf(this);
      if (typeof callback !== "function") throw new TypeError(`${type.name}.forEach: the callback is not a function`);
      for (let i = 0; i < pairsOf(this).length; i++) {
        const [name, value] = pairsOf(this)[i];
        apply(callback, thisArg, [value, name, this]);
      }
    },
  };
  defineProperty(members.forEach, "length", { value: 1, configurable: true });
  for (const [name, value] of Object.entries(members)) {
    defineProperty(type.prototype, name, { value, writable: true, enumerable: true, configurable: true });
  }
  defineProperty(type.prototype, Symbol.iterator, { value: members.entries, writable: true, enumerable: false, configurable: true });
};
