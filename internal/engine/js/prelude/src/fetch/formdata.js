// FormData (XMLHttpRequest Standard, section 4.3).
import { describe, need } from "../dom/idl.js";
import { bytesOf, isBlob, isFile, makeFile } from "./blob.js";
import { usv } from "./idl.js";
import { includePairs } from "./pairs.js";

// valueOf is what append and set keep ("create an entry"). A filename can only
// come with a blob.
const valueOf = (what, [, value, filename], given) => {
  if (!isBlob(value)) {
    if (given > 2) throw new TypeError(`${what}: a value with a filename must be a Blob`);
    return usv(value);
  }
  if (filename === undefined && isFile(value)) return value;
  return makeFile(bytesOf(value), value.type, filename === undefined ? "blob" : usv(filename));
};

// entriesOf is a form's [name, value], strings and Files.
export let entriesOf, isForm;
let setEntries;

// makeForm takes such a list over.
export const makeForm = (entries) => setEntries(new FormData(), entries);

export class FormData {
  #entries = [];

  static {
    entriesOf = (form) => form.#entries;
    isForm = (value) => typeof value === "object" && value !== null && #entries in value;
    setEntries = (form, entries) => {
      form.#entries = entries;
      return form;
    };
  }

  constructor(form = undefined, submitter = undefined) {
    if (form !== undefined) throw new TypeError("new FormData: the form is not an HTML form: there is none here");
  }

  append(name, value, filename = undefined) {
    need("FormData.append", arguments, 2);
    name = usv(name);
    this.#entries.push([name, valueOf("FormData.append", arguments, arguments.length)]);
  }

  delete(name) {
    need("FormData.delete", arguments, 1);
    name = usv(name);
    this.#entries = this.#entries.filter((entry) => entry[0] !== name);
  }

  get(name) {
    need("FormData.get", arguments, 1);
    name = usv(name);
    return this.#entries.find((entry) => entry[0] === name)?.[1] ?? null;
  }

  getAll(name) {
    need("FormData.getAll", arguments, 1);
    name = usv(name);
    return this.#entries.filter((entry) => entry[0] === name).map((entry) => entry[1]);
  }

  has(name) {
    need("FormData.has", arguments, 1);
    name = usv(name);
    return this.#entries.some((entry) => entry[0] === name);
  }

  set(name, value, filename = undefined) {
    need("FormData.set", arguments, 2);
    name = usv(name);
    const entry = [name, valueOf("FormData.set", arguments, arguments.length)];
    const first = this.#entries.findIndex(([other]) => other === name);
    if (first < 0) return void this.#entries.push(entry);
    this.#entries = this.#entries.filter(([other], i) => i <= first || other !== name);
    this.#entries[first] = entry;
  }
}
includePairs(FormData, entriesOf);
describe(FormData);
