// The Encoding Standard's part of the platform.
import { define } from "../define.js";
import { TextDecoderStream, TextEncoderStream } from "./streams.js";
import { TextDecoder, TextEncoder } from "./text.js";

export { TextDecoder, TextDecoderStream, TextEncoder, TextEncoderStream };

define({ TextDecoder, TextDecoderStream, TextEncoder, TextEncoderStream });
