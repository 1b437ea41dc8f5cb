// MessageEvent, ErrorEvent (HTML Standard, sections 9.1 and 8.1.4.6) and
// PromiseRejectionEvent (section 8.1.4.7).
import { Event } from "./event.js";
import { describe, dictionary, need } from "./idl.js";

export class MessageEvent extends Event {
  #data; #origin; #lastEventId; #source; #ports;

  constructor(type, options = undefined) {
    need("new MessageEvent", arguments, 1);
    super(type, options);
    const { data = null, lastEventId = "", origin = "", ports = [], source = null } = dictionary("new MessageEvent", options);
    this.#data = data;
    this.#origin = `${origin}`;
    this.#lastEventId = `${lastEventId}`;
    this.#source = source;
    this.#ports = Object.freeze([...ports]);
  }

  get data() { return this.#data; }
  get origin() { return this.#origin; }
  get lastEventId() { return this.#lastEventId; }
  get source() { return this.#source; }
  get ports() { return this.#ports; }
}
describe(MessageEvent);

export class ErrorEvent extends Event {
  #message; #filename; #lineno; #colno; #error;

  constructor(type, options = undefined) {
    need("new ErrorEvent", arguments, 1);
    super(type, options);
    const { colno = 0, error, filename = "", lineno = 0, message = "" } = dictionary("new ErrorEvent", options);
    this.#colno = colno >>> 0;
    this.#error = error;
    this.#filename = `${filename}`;
    this.#lineno = lineno >>> 0;
    this.#message = `${message}`;
  }

  get message() { return this.#message; }
  get filename() { return this.#filename; }
  get lineno() { return this.#lineno; }
  get colno() { return this.#colno; }
  get error() { return this.#error; }
}
describe(ErrorEvent);

export class PromiseRejectionEvent extends Event {
  #promise; #reason;

  constructor(type, options) {
    need("new PromiseRejectionEvent", arguments, 2);
    super(type, options);
    const { promise, reason } = dictionary("new PromiseRejectionEvent", options);
    if ((typeof promise !== "object" && typeof promise !== "function") || promise === null) {
      throw new TypeError("new PromiseRejectionEvent: the promise is not an object");
    }
    this.#promise = promise;
    this.#reason = reason;
  }

  get promise() { return this.#promise; }
  get reason() { return this.#reason; }
}
describe(PromiseRejectionEvent);
