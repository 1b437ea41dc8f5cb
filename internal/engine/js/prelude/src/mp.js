// mp: what a mini-program can ask of its container.
const { request } = host;
const mp = Object.create({ [Symbol.toStringTag]: "mp" }, {
  appId: { get: () => host.appId(), enumerable: true },
  exit: { value: function exit(code = 0) { host.exit(code); }, enumerable: true },
  request: { value: function request_(method, params) { return request(method, params); }, enumerable: true },
});
Object.defineProperty(globalThis, "mp", { value: Object.freeze(mp), enumerable: true });
// host.event tells the program of a moment in its life, and then settles the
// call: (id, type, page, detail as JSON).
host.event = async (id) => host.settle(id);
