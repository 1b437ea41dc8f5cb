// EventTarget (DOM Standard, sections 2.7 to 2.9). Nothing here has a parent:
// an event's path is its target alone.
import { Event, stateOf } from "./event.js";
import { DOMException } from "./exception.js";
import { describe, Identity, need } from "./idl.js";
import { isAborted, isSignal, onAbort } from "./signal.js";

const { apply } = Reflect;
const { AT_TARGET, NONE } = Event;
const { report } = host;

// Listeners are what an object has as a target of events. The global object
// gets them too, though no constructor of ours made it.
class Listeners extends Identity {
  #types = new Map(); // type → array of listeners; the arrays are never changed
  #watcher;           // called with the target after a listener was added

  static has = (target) => #types in target;
  static types = (target) => target.#types;
  static watch = (target, watcher) => { target.#watcher = watcher; };
  static added = (target) => target.#watcher?.(target);
}

// adopt makes any object a target of events.
export const adopt = (object) => new Listeners(object);

// watch has watcher called, with the target, each time that it gets a listener.
export const watch = Listeners.watch;

// listens reports whether target has a listener for type.
export const listens = (target, type) => Listeners.types(target).has(type);

// targetOf is the target that a method was called on: without a this it is the
// global object (Web IDL, section 3.7.7).
export const targetOf = (what, object) => {
  object ??= globalThis;
  if (!Listeners.has(Object(object))) throw new TypeError(`${what}: this is not an EventTarget`);
  return object;
};

const isObject = (value) => (typeof value === "object" && value !== null) || typeof value === "function";

const callbackOf = (what, callback) => {
  if (callback === undefined || callback === null) return null;
  if (!isObject(callback)) throw new TypeError(`${what}: the listener is not an object`);
  return callback;
};

const captureOf = (options) => !!(isObject(options) ? options.capture : options);

const optionsOf = (options) => {
  const capture = captureOf(options);
  if (!isObject(options)) return { capture, once: false, passive: false };
  const { once, passive, signal } = options;
  if (signal !== undefined && !isSignal(signal)) throw new TypeError("addEventListener: the signal is not an AbortSignal");
  return { capture, once: !!once, passive: !!passive, signal };
};

const none = Object.freeze([]);
const listOf = (target, type) => Listeners.types(target).get(type) ?? none;
const find = (list, callback, capture) => list.find((l) => l.callback === callback && l.capture === capture);

// add returns whether the listener is a new one.
export const add = (target, type, listener) => {
  const list = listOf(target, type);
  if (find(list, listener.callback, listener.capture) !== undefined) return false;
  Listeners.types(target).set(type, [...list, listener]);
  Listeners.added(target);
  return true;
};

export const remove = (target, type, listener) => {
  if (listener.removed) return;
  listener.removed = true;
  const left = listOf(target, type).filter((l) => l !== listener);
  if (left.length > 0) Listeners.types(target).set(type, left);
  else Listeners.types(target).delete(type);
};

const call = (callback, target, event) => {
  if (typeof callback === "function") return apply(callback, target, [event]);
  const { handleEvent } = callback;
  if (typeof handleEvent !== "function") throw new TypeError("the event listener has no method handleEvent");
  apply(handleEvent, callback, [event]);
};

// invoke calls the listeners of one phase (inner invoke, section 2.9).
const invoke = (target, event, state, capture) => {
  if (state.stopped) return;
  const list = listOf(target, state.type);
  for (let i = 0; i < list.length; i++) {
    const listener = list[i];
    if (listener.capture !== capture || listener.removed) continue;
    if (listener.once) remove(target, state.type, listener);
    state.passive = listener.passive;
    try {
      call(listener.callback, target, event);
    } catch (error) {
      report(error);
    }
    state.passive = false;
    if (state.stoppedNow) return;
  }
};

// dispatch brings an event to its target. It returns false if a listener has
// canceled it.
export const dispatch = (target, event) => {
  const state = stateOf(event);
  state.dispatching = true;
  state.target = state.current = target;
  state.phase = AT_TARGET;
  invoke(target, event, state, true);
  invoke(target, event, state, false);
  state.dispatching = state.stopped = state.stoppedNow = false;
  state.current = null;
  state.phase = NONE;
  return !state.canceled;
};

// fire dispatches an event of the host's own.
export const fire = (target, event) => {
  stateOf(event).trusted = true;
  return dispatch(target, event);
};

const isEvent = (value) => { try { return stateOf(value) !== undefined; } catch { return false; } };

export class EventTarget {
  constructor() { adopt(this); }

  addEventListener(type, callback, options = undefined) {
    const target = targetOf("addEventListener", this);
    need("addEventListener", arguments, 2);
    type = `${type}`;
    callback = callbackOf("addEventListener", callback);
    const { capture, once, passive, signal } = optionsOf(options);
    if (callback === null || (signal !== undefined && isAborted(signal))) return;
    const listener = { callback, capture, once, passive, removed: false };
    if (add(target, type, listener) && signal !== undefined) onAbort(signal, () => remove(target, type, listener));
  }

  removeEventListener(type, callback, options = undefined) {
    const target = targetOf("removeEventListener", this);
    need("removeEventListener", arguments, 2);
    type = `${type}`;
    callback = callbackOf("removeEventListener", callback);
    const listener = find(listOf(target, type), callback, captureOf(options));
    if (listener !== undefined) remove(target, type, listener);
  }

  dispatchEvent(event) {
    const target = targetOf("dispatchEvent", this);
    need("dispatchEvent", arguments, 1);
    if (!isEvent(event)) throw new TypeError("dispatchEvent: the argument is not an Event");
    const state = stateOf(event);
    if (state.dispatching) throw new DOMException("dispatchEvent: the event is being dispatched already", "InvalidStateError");
    state.trusted = false;
    return dispatch(target, event);
  }
}
describe(EventTarget);
