// atob and btoa (HTML Standard, section 8.3).
import { define } from "../define.js";
import { DOMException } from "./exception.js";
import { need } from "./idl.js";

const decode = host.atob, encode = host.btoa;

const invalid = (message) => new DOMException(message, "InvalidCharacterError");

define({
  atob(data) {
    need("atob", arguments, 1);
    const text = decode(`${data}`);
    if (text === undefined) throw invalid("atob: the text is not base64");
    return text;
  },
  btoa(data) {
    need("btoa", arguments, 1);
    const text = encode(`${data}`);
    if (text === undefined) throw invalid("btoa: the text has characters above U+00FF");
    return text;
  },
}, { enumerable: true });
