// mp: what a mini-program can ask of its container.
(host) => {
  const mp = Object.create({ [Symbol.toStringTag]: "mp" }, {
    appId: { get: () => host.appId(), enumerable: true },
    exit: { value: function exit(code = 0) { host.exit(code); }, enumerable: true },
  });
  Object.defineProperty(globalThis, "mp", { value: Object.freeze(mp), enumerable: true });
}
