// Fetch and what its messages are made of: Headers, Request, Response, fetch
// (Fetch Standard), Blob, File (File API), FormData (XMLHttpRequest Standard).
import { define } from "../define.js";
import { serializable } from "../dom/index.js";
import { Blob, bytesOf, File, makeBlob, makeFile } from "./blob.js";
import { fetch } from "./fetch.js";
import { FormData } from "./formdata.js";
import { Headers } from "./headers.js";
import { Request } from "./request.js";
import { Response } from "./response.js";

define({ Blob, File, FormData, Headers, Request, Response });
define({ fetch }, { enumerable: true });

serializable(Blob, (blob) => () => makeBlob(bytesOf(blob), blob.type));
serializable(File, (file) => () => makeFile(bytesOf(file), file.type, file.name, file.lastModified));

export { Blob, fetch, File, FormData, Headers, Request, Response };
