// The DOM Standard's part of the platform, and what HTML adds for a global
// object without a document.
import { define } from "../define.js";
import { AbortController, AbortSignal } from "./abort.js";
import { CustomEvent, Event } from "./event.js";
import { ErrorEvent, MessageEvent, PromiseRejectionEvent } from "./events.js";
import { DOMException } from "./exception.js";
import { EventTarget } from "./target.js";
import "./global.js";
import "./base64.js";
import "./clone.js";
import "./message.js";
import "./navigator.js";
import "./performance.js";

define({
  AbortController, AbortSignal, CustomEvent, DOMException, ErrorEvent, Event, EventTarget, MessageEvent, PromiseRejectionEvent,
});

export { AbortController, AbortSignal, CustomEvent, DOMException, ErrorEvent, Event, EventTarget, MessageEvent, PromiseRejectionEvent };
export { describe, dictionary, need } from "./idl.js";
export { defineHandlers } from "./handler.js";
export { serializable, transferable } from "./platform.js";
export { isAborted, isSignal, onAbort, reasonOf } from "./signal.js";
export { adopt, fire, listens } from "./target.js";
