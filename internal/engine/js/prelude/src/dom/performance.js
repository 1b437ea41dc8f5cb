// performance (High Resolution Time, section 7). The origin is the program's
// start, not the image's making.
import { define } from "../define.js";
import { describe } from "./idl.js";
import { EventTarget } from "./target.js";

const { now, origin } = host;
const internal = Symbol("internal");

export class Performance extends EventTarget {
  #is;

  constructor(key) {
    if (key !== internal) throw new TypeError("new Performance: there is one, performance");
    super();
    this.#is = true;
  }

  now() { return this.#is && now(); }
  get timeOrigin() { return this.#is && origin(); }
  toJSON() { return { timeOrigin: this.timeOrigin }; }
}
describe(Performance);

define({ Performance });
define({ performance: new Performance(internal) }, { enumerable: true });
