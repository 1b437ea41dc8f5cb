// MessageChannel and MessagePort (HTML Standard, section 9.4), within one
// program. Each message is a task of its own.
import "../timers.js";
import { define } from "../define.js";
import { pack, unpack } from "./clone.js";
import { MessageEvent } from "./events.js";
import { DOMException } from "./exception.js";
import { defineHandlers } from "./handler.js";
import { describe, dictionary, need } from "./idl.js";
import { transferable } from "./platform.js";
import { EventTarget, fire } from "./target.js";

const { setTimeout } = globalThis;
const internal = Symbol("internal");
let entangle, move;

class MessagePort extends EventTarget {
  #peer;         // undefined: closed, or transferred
  #queue = [];   // of packed messages
  #open = false; // whether messages are delivered
  #due = false;  // whether a delivery is

  static {
    entangle = (a, b) => { a.#peer = b; b.#peer = a; };
    move = (port) => {
      const moved = new MessagePort(internal);
      if (port.#peer !== undefined) entangle(moved, port.#peer);
      moved.#queue = port.#queue;
      port.#peer = undefined;
      port.#queue = [];
      return moved;
    };
  }

  constructor(key) {
    if (key !== internal) throw new TypeError("new MessagePort: MessageChannel makes ports");
    super();
  }

  postMessage(message, options = undefined) {
    need("postMessage", arguments, 1);
    const transfer = typeof options?.[Symbol.iterator] === "function" ? options : dictionary("postMessage", options).transfer;
    const list = transfer === undefined ? undefined : [...transfer], peer = this.#peer;
    if (list?.includes(this)) throw new DOMException("a port cannot be sent through itself", "DataCloneError");
    const packed = pack(message, list);
    if (peer === undefined || list?.includes(peer)) return;
    peer.#queue.push(packed);
    peer.#arm();
  }

  start() {
    this.#open = true;
    this.#arm();
  }

  close() {
    if (this.#peer !== undefined) this.#peer.#peer = undefined;
    this.#peer = undefined;
    this.#queue = [];
  }

  #arm() {
    if (!this.#open || this.#due || this.#queue.length === 0) return;
    this.#due = true;
    setTimeout(() => this.#deliver(), 0);
  }

  #deliver() {
    this.#due = false;
    const packed = this.#queue.shift();
    if (packed === undefined) return;
    this.#arm();
    const { value, transferred } = unpack(packed);
    fire(this, new MessageEvent("message", { data: value, ports: transferred.filter((t) => t instanceof MessagePort) }));
  }
}
describe(MessagePort);
defineHandlers(MessagePort.prototype, "message", "messageerror");
transferable(MessagePort, move);

// Setting onmessage opens the port.
const { get, set } = Object.getOwnPropertyDescriptor(MessagePort.prototype, "onmessage");
const { start } = MessagePort.prototype;
Object.defineProperty(MessagePort.prototype, "onmessage", {
  get,
  set(value) {
    Reflect.apply(set, this, [value]);
    Reflect.apply(start, this, []);
  },
});

class MessageChannel {
  #port1 = new MessagePort(internal);
  #port2 = new MessagePort(internal);

  constructor() { entangle(this.#port1, this.#port2); }

  get port1() { return this.#port1; }
  get port2() { return this.#port2; }
}
describe(MessageChannel);

define({ MessageChannel, MessagePort });
