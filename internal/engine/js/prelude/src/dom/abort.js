// AbortController and AbortSignal (DOM Standard, sections 3.1 and 3.2).
import "../timers.js";
import { Event } from "./event.js";
import { DOMException } from "./exception.js";
import { defineHandlers } from "./handler.js";
import { describe, need } from "./idl.js";
import { adopt, FEW, isSignal, keep, signalState } from "./signal.js";
import { EventTarget, fire, watch } from "./target.js";

const { setTimeout } = globalThis;
const LONGEST = 2147483647; // of a timer, in milliseconds
const SAFE = Number.MAX_SAFE_INTEGER;
const internal = Symbol("internal");

const make = () => new AbortSignal(internal);

export class AbortSignal extends EventTarget {
  constructor(key) {
    if (key !== internal) throw new TypeError("new AbortSignal: AbortController makes signals, and AbortSignal's static methods");
    super();
    adopt(this);
  }

  static abort(reason = new DOMException("The operation was aborted", "AbortError")) {
    const signal = make();
    Object.assign(signalState(signal), { aborted: true, reason });
    return signal;
  }

  static timeout(milliseconds) {
    need("AbortSignal.timeout", arguments, 1);
    const left = Math.trunc(+milliseconds);
    if (!(left >= 0 && left <= SAFE)) throw new TypeError("AbortSignal.timeout: the time is not from 0 to 2^53 - 1 milliseconds");
    const signal = make();
    wait(signal, left);
    return signal;
  }

  static any(signals) {
    need("AbortSignal.any", arguments, 1);
    const sources = [...signals], signal = make();
    if (!sources.every(isSignal)) throw new TypeError("AbortSignal.any: one of the values is not an AbortSignal");
    const aborted = sources.find((s) => signalState(s).aborted);
    if (aborted !== undefined) return AbortSignal.abort(signalState(aborted).reason);
    follow(signal, sources);
    return signal;
  }

  get aborted() { return signalState(this).aborted; }
  get reason() { return signalState(this).reason; }
  throwIfAborted() { if (signalState(this).aborted) throw signalState(this).reason; }
}
describe(AbortSignal);
defineHandlers(AbortSignal.prototype, "abort");

const wait = (signal, left) => {
  const now = Math.min(left, LONGEST);
  setTimeout(() => {
    if (left > now) wait(signal, left - now);
    else abort(signal, new DOMException("The operation timed out", "TimeoutError"));
  }, now);
};

// A source holds a signal that depends on it weakly, until somebody waits for
// that: programs make many out of one signal that lives as long as they do.
const follow = (signal, sources) => {
  const state = signalState(signal), ref = new WeakRef(signal);
  const roots = sources.flatMap((s) => (signalState(s).sources.length > 0 ? signalState(s).sources : [s]));
  state.sources = [...new Set(roots)];
  for (const source of state.sources) {
    prune(signalState(source));
    signalState(source).dependents.add(ref);
  }
  watch(signal, keep);
};

// prune forgets dependents that are gone each time that their number has
// doubled.
const prune = (state) => {
  if (state.dependents.size < state.most) return;
  for (const ref of state.dependents) if (ref.deref() === undefined) state.dependents.delete(ref);
  state.most = Math.max(FEW, 2 * state.dependents.size);
};

const dependentsOf = (state) => [...state.dependents].map((ref) => ref.deref()).filter((s) => s !== undefined);

// abort signals abort (section 3.2): all states first, then the algorithms
// and events of the signal itself and of those that depend on it.
export const abort = (signal, reason) => {
  const state = signalState(signal);
  if (state.aborted) return;
  const signals = [signal, ...dependentsOf(state).filter((s) => !signalState(s).aborted)];
  for (const s of signals) Object.assign(signalState(s), { aborted: true, reason });
  for (const s of signals) finish(s);
};

const finish = (signal) => {
  const state = signalState(signal), algorithms = [...state.algorithms];
  for (const source of state.sources) signalState(source).kept.delete(signal);
  Object.assign(state, { algorithms: new Set(), sources: [], dependents: new Set(), kept: new Set() });
  for (const algorithm of algorithms) algorithm();
  fire(signal, new Event("abort"));
};

export class AbortController {
  #signal = make();

  get signal() { return this.#signal; }

  abort(reason = new DOMException("The operation was aborted", "AbortError")) {
    abort(this.#signal, reason);
  }
}
describe(AbortController);
