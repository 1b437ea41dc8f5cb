// navigator.userAgent (HTML Standard, section 8.9.1.1; WinterTC Minimum Common
// Web Platform API, section 5).
import { define } from "../define.js";
import { describe } from "./idl.js";

const internal = Symbol("internal");

export class Navigator {
  #userAgent;

  constructor(key) {
    if (key !== internal) throw new TypeError("new Navigator: there is one, navigator");
    this.#userAgent = host.userAgent();
  }

  get userAgent() { return this.#userAgent; }
}
describe(Navigator);

define({ Navigator });
define({ navigator: new Navigator(internal) }, { enumerable: true });
