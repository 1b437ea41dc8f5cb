// Uncaught errors and unhandled rejections as events of the global object
// (HTML Standard, sections 8.1.4.6 and 8.1.4.7). Go calls these when something
// came to it that nothing caught, and writes a line to the log unless a
// listener cancels the event.
import { ErrorEvent, PromiseRejectionEvent } from "./events.js";
import { fire, listens } from "./target.js";

const { show } = host;

// place finds where an error came from in its text, without asking the error.
const place = (text) => {
  const [, filename = "", lineno = 0, colno = 0] = /^\s+at (?:.*\()?(.+?):(\d+):(\d+)\)?$/m.exec(text) ?? [];
  return { filename, lineno: +lineno, colno: +colno };
};

// errorEvent is the event that tells of an error.
export const errorEvent = (error) => {
  const text = show(error), message = `Uncaught ${text.split("\n", 1)[0]}`;
  return new ErrorEvent("error", { cancelable: true, message, error, ...place(text) });
};

let reporting = false;

// host.uncaught reports whether the guest says that it has seen to the error.
host.uncaught = (error) => {
  if (reporting || !listens(globalThis, "error")) return false;
  reporting = true;
  try {
    return !fire(globalThis, errorEvent(error));
  } finally {
    reporting = false;
  }
};

// Promises whose rejection was told to the guest, or logged.
const told = new WeakSet();

// host.rejected does the same for a promise that nothing handles.
host.rejected = (promise, reason) => {
  told.add(promise);
  if (!listens(globalThis, "unhandledrejection")) return false;
  return !fire(globalThis, new PromiseRejectionEvent("unhandledrejection", { cancelable: true, promise, reason }));
};

// host.handled tells of a promise that is handled after all.
host.handled = (promise, reason) => {
  if (!told.delete(promise) || !listens(globalThis, "rejectionhandled")) return;
  fire(globalThis, new PromiseRejectionEvent("rejectionhandled", { promise, reason }));
};
