// mp: what a mini-program can ask of its container, and hears from it.
import { mp, seen } from "./lifecycle/index.js";
import "./lifecycle/error.js";
import { pageFor } from "./lifecycle/page.js";

const { request } = host;

Object.defineProperties(mp, {
  appId: { get: () => host.appId(), enumerable: true },
  visible: { get: () => seen.visible, enumerable: true },
  exit: { value: function exit(code = 0) { host.exit(code); }, enumerable: true },
  page: { value: function page(path) { return pageFor(path); }, enumerable: true },
  request: { value: { request(method, params) { return request(method, params); } }.request, enumerable: true },
});
Object.defineProperty(globalThis, "mp", { value: Object.freeze(mp), enumerable: true });
