// host.event brings what the supervisor tells of a program's life to mp and to its
// pages, as events, one after the other: each waits for what the one before it was
// made to wait for.
import { defineHandlers, EventTarget, fire } from "../dom/index.js";
import { HibernateEvent, launchedBy, LifecycleEvent, lifeOf, settle } from "./event.js";
import { loadedPages, pageAt, stateOf } from "./page.js";

export class MiniApp extends EventTarget {}
Object.defineProperty(MiniApp.prototype, Symbol.toStringTag, { value: "MiniApp", configurable: true });
defineHandlers(MiniApp.prototype, "launched", "shown", "hidden", "unloaded", "error", "hibernate");

export const mp = new MiniApp();

// seen is what of the program can be seen: current is its page, also while the
// program is hidden.
export const seen = { visible: false, current: null };

const tell = async (target, event) => {
  fire(target, event);
  await settle(event);
  return event;
};

const tellOf = (target, type) => tell(target, new LifecycleEvent(type));

const hidePage = async (page) => {
  if (page === null || !stateOf(page).visible) return;
  stateOf(page).visible = false;
  await tellOf(page, "hidden");
};

const showPage = async (page) => {
  const state = stateOf(page);
  if (!state.loaded) {
    state.loaded = true;
    await tellOf(page, "loaded");
    await tellOf(page, "ready");
  }
  if (!state.visible) {
    state.visible = true;
    await tellOf(page, "shown");
  }
};

const show = async (path) => {
  if (!seen.visible) {
    seen.visible = true;
    await tellOf(mp, "shown");
  }
  if (path !== "" && seen.current !== pageAt(path)) {
    await hidePage(seen.current);
    seen.current = pageAt(path);
  }
  if (seen.current !== null) await showPage(seen.current);
};

const hide = async (path) => {
  if (path !== "") {
    const page = pageAt(path);
    await hidePage(page);
    if (seen.current === page) seen.current = null;
    return;
  }
  await hidePage(seen.current);
  if (seen.visible) {
    seen.visible = false;
    await tellOf(mp, "hidden");
  }
};

const unload = async () => {
  await hide("");
  for (const page of loadedPages()) {
    stateOf(page).loaded = false;
    await tellOf(page, "unloaded");
  }
  await tellOf(mp, "unloaded");
};

const moments = {
  __proto__: null,
  launched: (page, detail) => tell(mp, launchedBy(detail)),
  shown: show,
  hidden: hide,
  unloaded: unload,
  hibernate: async () => lifeOf(await tell(mp, new HibernateEvent())).saved,
};

// host.event(id, type, page, detail as JSON) settles the call with what the
// program saved, as JSON.
host.event = async (id, type, page, detail) => {
  const saved = await moments[type](page, detail);
  host.settle(id, typeof saved === "string" ? saved : undefined);
};
