// QuickJS calls next and return of the iterator helpers directly, from C to C,
// without looking at the stack: a long chain of helpers would overrun it. As
// functions of JavaScript they are called, and counted, like any other.
const apply = Reflect.apply;
const counted = (f, name) => ({ [name](...args) { return apply(f, this, args); } })[name];
const count = (iterator) => {
  const proto = Object.getPrototypeOf(iterator);
  for (const name of ["next", "return"]) {
    const d = Object.getOwnPropertyDescriptor(proto, name);
    Object.defineProperty(proto, name, { ...d, value: counted(d.value, name) });
  }
};
count([].values().map((x) => x));
count(Iterator.from({ next() {} }));
count(Iterator.concat());
