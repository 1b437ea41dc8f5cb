// What nothing in the program caught is an event error of mp, too, unless a
// listener of the global object has seen to it.
import { fire, listens } from "../dom/index.js";
import { errorEvent } from "../dom/report.js";
import { mp } from "./index.js";

const { uncaught, rejected } = host;
let telling = false;

// tell reports whether the program says that it has seen to the error.
const tell = (error) => {
  if (telling || !listens(mp, "error")) return false;
  telling = true;
  try {
    return !fire(mp, errorEvent(error));
  } finally {
    telling = false;
  }
};

host.uncaught = (error) => uncaught(error) || tell(error);
host.rejected = (promise, reason) => rejected(promise, reason) || tell(reason);
