// The URL Standard's and the URL Pattern Standard's part of the platform.
import { URLPattern } from "urlpattern-polyfill/urlpattern";
import { define } from "../define.js";
import { describe } from "../dom/idl.js";
import { URLSearchParams } from "./params.js";
import { URL } from "./url.js";

export { URL, URLPattern, URLSearchParams };

describe(URLPattern);
define({ URL, URLPattern, URLSearchParams });
