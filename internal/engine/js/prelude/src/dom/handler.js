// Event handlers: the attributes on… of targets (HTML Standard, section
// 8.1.8.1).
import { ErrorEvent } from "./events.js";
import { Identity } from "./idl.js";
import { add, remove, targetOf } from "./target.js";

const { apply } = Reflect;

class Handlers extends Identity {
  #types = new Map(); // type → { value, listener }
  static of = (target) => (#types in target ? target : new Handlers(target)).#types;
}

// invoke calls a handler. What it returns can cancel the event.
const invoke = (value, target, event) => {
  if (typeof value !== "function") return;
  if (target === globalThis && event instanceof ErrorEvent && event.type === "error") {
    const { message, filename, lineno, colno, error } = event;
    if (apply(value, target, [message, filename, lineno, colno, error]) === true) event.preventDefault();
  } else if (apply(value, target, [event]) === false) {
    event.preventDefault();
  }
};

const set = (target, type, value) => {
  const handlers = Handlers.of(target), old = handlers.get(type);
  if ((typeof value !== "object" || value === null) && typeof value !== "function") {
    if (old === undefined) return;
    handlers.delete(type);
    remove(target, type, old.listener);
  } else if (old !== undefined) {
    old.value = value; // it keeps its place among the listeners
  } else {
    const handler = { value };
    const callback = (event) => invoke(handler.value, target, event);
    handler.listener = { callback, capture: false, once: false, passive: false, removed: false };
    handlers.set(type, handler);
    add(target, type, handler.listener);
  }
};

// defineHandlers gives an object, mostly a prototype of targets, the attributes
// on… for the types of events.
export const defineHandlers = (object, ...types) => {
  for (const type of types) {
    const name = `on${type}`;
    const attribute = {
      get [name]() { return Handlers.of(targetOf(name, this)).get(type)?.value ?? null; },
      set [name](value) { set(targetOf(name, this), type, value); },
    };
    Object.defineProperty(object, name, Object.getOwnPropertyDescriptor(attribute, name));
  }
};
