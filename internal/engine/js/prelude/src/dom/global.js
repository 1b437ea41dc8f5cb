// The global object as a target of events (HTML Standard, section 8.1.8.1;
// WinterTC Minimum Common Web Platform API, section 4).
import { define } from "../define.js";
import { defineHandlers } from "./handler.js";
import { need } from "./idl.js";
import "./report.js";
import { adopt, EventTarget } from "./target.js";

const { report } = host;

Object.setPrototypeOf(globalThis, EventTarget.prototype);
adopt(globalThis);
defineHandlers(globalThis, "error", "unhandledrejection", "rejectionhandled");

define({ self: globalThis }, { enumerable: true });
define({
  reportError(error) {
    need("reportError", arguments, 1);
    report(error);
  },
}, { enumerable: true });
