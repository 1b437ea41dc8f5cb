// mp: what a mini-program can ask of its container.
const { parse } = JSON;
const ask = (method) => parse(host.ask(method, "null"));
const mp = Object.create({ [Symbol.toStringTag]: "mp" }, {
  appId: { get: () => ask("app").id, enumerable: true },
  exit: { value: function exit(code = 0) { host.exit(code); }, enumerable: true },
});
Object.defineProperty(globalThis, "mp", { value: Object.freeze(mp), enumerable: true });
