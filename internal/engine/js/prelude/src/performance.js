// performance.now and performance.timeOrigin (High Resolution Time, sections 7
// and 8). The origin is the program's start, not the image's making.
const performance = Object.create({ [Symbol.toStringTag]: "Performance" }, {
  now: { value: function now() { return host.now(); }, enumerable: true },
  timeOrigin: { get: () => host.origin(), enumerable: true },
});
Object.defineProperty(globalThis, "performance", { value: performance, writable: true, enumerable: true, configurable: true });
