// Pages: what of a program can be seen at a time. They are targets of events
// with a state of their own (W3C MiniApp Lifecycle, page lifecycle states).
import { defineHandlers, DOMException, EventTarget } from "../dom/index.js";

const MOST = 256, LONGEST = 1024;
const pages = new Map();
const get = pages.get.bind(pages), put = pages.set.bind(pages), values = pages.values.bind(pages);
const { utf8Len } = host;

// stateOf is what the host knows of a page.
export let stateOf;

export class Page extends EventTarget {
  #state;

  static { stateOf = (page) => page.#state; }

  constructor(path) {
    super();
    this.#state = { path, loaded: false, visible: false };
  }

  get path() { return this.#state.path; }
  get visible() { return this.#state.visible; }
}
Object.defineProperty(Page.prototype, Symbol.toStringTag, { value: "Page", configurable: true });
defineHandlers(Page.prototype, "loaded", "ready", "shown", "hidden", "unloaded");

// pageAt is the page of a path, the same each time.
export const pageAt = (path) => {
  let page = get(path);
  if (page === undefined) {
    put(path, page = new Page(path));
  }
  return page;
};

// pageFor is pageAt for the guest, who may name as many as there is room for.
export const pageFor = (path) => {
  path = `${path}`;
  if (path === "") throw new TypeError("mp.page: the path is empty");
  if (get(path) !== undefined) return get(path);
  const size = utf8Len(path);
  if (size > LONGEST) throw new DOMException(`mp.page: the path is ${size} bytes; the limit is ${LONGEST}`, "QuotaExceededError");
  if (pages.size >= MOST) throw new DOMException(`mp.page: there are ${MOST} pages already, which is the limit`, "QuotaExceededError");
  return pageAt(path);
};

// loadedPages are those that the program has been told of.
export const loadedPages = () => {
  const loaded = [];
  for (const page of values()) if (stateOf(page).loaded) loaded[loaded.length] = page;
  return loaded;
};
