// The events of a program's life (W3C MiniApp Lifecycle). Like a service
// worker's (Service Workers, section 4.4), they can be made to wait for promises.
import { DOMException, Event } from "../dom/index.js";

const { parse, stringify } = JSON;
const { apply } = Reflect;
const OwnPromise = Promise, { then } = Promise.prototype, resolve = Promise.resolve.bind(Promise);
const { report, utf8Len } = host;

// MOST is what a program may save for its next start, in bytes of JSON.
const MOST = 256 * 1024;

// lifeOf is what the host knows of an event.
export let lifeOf;

export class LifecycleEvent extends Event {
  // open is how many promises are waited for, and one more while the event is
  // dispatched.
  #life = { open: 1, settled: undefined, saved: undefined };

  static { lifeOf = (event) => event.#life; }

  waitUntil(promise) {
    const life = this.#life;
    if (life.open === 0) throw new DOMException(`waitUntil: the event ${this.type} is over`, "InvalidStateError");
    life.open++;
    apply(then, resolve(promise), [() => close(life), (reason) => { report(reason); close(life); }]);
  }
}

const close = (life) => {
  if (--life.open === 0) life.settled();
};

// settle waits until nothing is waited for any more. The dispatch is over.
export const settle = (event) => {
  const life = lifeOf(event);
  return new OwnPromise((done) => {
    life.settled = done;
    close(life);
  });
};

export class LaunchedEvent extends LifecycleEvent {
  #state; #restored;

  constructor(state, restored) {
    super("launched");
    this.#state = state;
    this.#restored = restored;
  }

  get state() { return this.#state; }
  get restored() { return this.#restored; }
}

export class HibernateEvent extends LifecycleEvent {
  constructor() { super("hibernate"); }

  save(value) {
    const life = lifeOf(this);
    if (life.open === 0) throw new DOMException("save: the event hibernate is over", "InvalidStateError");
    const json = stringify(value);
    if (json === undefined) throw new TypeError("save: the state cannot be JSON");
    const size = utf8Len(json);
    if (size > MOST) throw new DOMException(`save: the state is ${size} bytes of JSON; the limit is ${MOST}`, "QuotaExceededError");
    life.saved = json;
  }
}

// launchedBy makes the event out of the host's detail.
export const launchedBy = (detail) => {
  const { state = null, restored = false } = detail === "" ? {} : parse(detail);
  return new LaunchedEvent(state, restored);
};

const { defineProperty } = Object;
for (const type of [LifecycleEvent, LaunchedEvent, HibernateEvent]) {
  defineProperty(type.prototype, Symbol.toStringTag, { value: type.name, configurable: true });
}
