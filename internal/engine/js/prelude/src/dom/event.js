// Event and CustomEvent (DOM Standard, sections 2.2 to 2.5). Nothing here has
// a parent: an event's path is its target alone.
import { describe, dictionary, need } from "./idl.js";

const { now } = host;
const NONE = 0, CAPTURING_PHASE = 1, AT_TARGET = 2, BUBBLING_PHASE = 3;

// stateOf is what an event's methods and its dispatch share.
export let stateOf;

// trusted is a descriptor's getter, the same for all events (LegacyUnforgeable).
const trusted = { get isTrusted() { return stateOf(this).trusted; } };
const isTrusted = { ...Object.getOwnPropertyDescriptor(trusted, "isTrusted"), configurable: false };

export class Event {
  #state;

  static {
    stateOf = (event) => event.#state;
  }

  constructor(type, options = undefined) {
    need("new Event", arguments, 1);
    type = `${type}`;
    const { bubbles, cancelable, composed } = dictionary("new Event", options);
    this.#state = {
      type, bubbles: !!bubbles, cancelable: !!cancelable, composed: !!composed,
      trusted: false, time: now(), target: null, current: null, phase: NONE,
      initialized: true, dispatching: false, stopped: false, stoppedNow: false, canceled: false, passive: false,
    };
    Object.defineProperty(this, "isTrusted", isTrusted);
  }

  get type() { return this.#state.type; }
  get target() { return this.#state.target; }
  get srcElement() { return this.#state.target; }
  get currentTarget() { return this.#state.current; }
  get eventPhase() { return this.#state.phase; }
  get bubbles() { return this.#state.bubbles; }
  get cancelable() { return this.#state.cancelable; }
  get composed() { return this.#state.composed; }
  get defaultPrevented() { return this.#state.canceled; }
  get timeStamp() { return this.#state.time; }

  get cancelBubble() { return this.#state.stopped; }
  set cancelBubble(value) { if (value) this.#state.stopped = true; }
  get returnValue() { return !this.#state.canceled; }
  set returnValue(value) { if (!value) cancel(this.#state); }

  composedPath() { return this.#state.current === null ? [] : [this.#state.current]; }
  stopPropagation() { this.#state.stopped = true; }
  stopImmediatePropagation() { this.#state.stopped = this.#state.stoppedNow = true; }
  preventDefault() { cancel(this.#state); }

  initEvent(type, bubbles = false, cancelable = false) {
    need("initEvent", arguments, 1);
    initialize(this.#state, type, bubbles, cancelable);
  }
}
describe(Event, { NONE, CAPTURING_PHASE, AT_TARGET, BUBBLING_PHASE });

const cancel = (state) => {
  if (state.cancelable && !state.passive) state.canceled = true;
};

const initialize = (state, type, bubbles, cancelable) => {
  type = `${type}`;
  if (state.dispatching) return false;
  Object.assign(state, {
    type, bubbles: !!bubbles, cancelable: !!cancelable,
    initialized: true, stopped: false, stoppedNow: false, canceled: false, trusted: false, target: null,
  });
  return true;
};

export class CustomEvent extends Event {
  #detail;

  constructor(type, options = undefined) {
    need("new CustomEvent", arguments, 1);
    super(type, options);
    this.#detail = options?.detail ?? null;
  }

  get detail() { return this.#detail; }

  initCustomEvent(type, bubbles = false, cancelable = false, detail = null) {
    need("initCustomEvent", arguments, 1);
    if (initialize(stateOf(this), type, bubbles, cancelable)) this.#detail = detail;
  }
}
describe(CustomEvent);
