// The Streams Standard's and the Compression Standard's part of the platform.
import { define } from "../define.js";
import { CompressionStream, DecompressionStream } from "./compression.js";
import * as streams from "./web.js";

export * from "./web.js";
export { CompressionStream, DecompressionStream };

define({ ...streams, CompressionStream, DecompressionStream });
