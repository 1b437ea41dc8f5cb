// The prelude: each module puts what it is named after on the global object.
// They are bundled into one function, whose parameter host carries the natives
// of Go; a module may add members to it for those after it, and for Go.
import "./iterators.js";
import "./primitive.js";
import "./format.js";
import "./printf.js";
import "./console.js";
import "./timers.js";
import "./calls.js";
import "./dom/index.js";
import "./commonjs.js";
import "./request.js";
import "./mp.js";
import "./url/index.js";
import "./encoding/index.js";
import "./streams/index.js";
import "./fetch/index.js";
import "./crypto/index.js";
import "./intl/door.js";
