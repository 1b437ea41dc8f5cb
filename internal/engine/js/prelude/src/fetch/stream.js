// What Fetch asks of streams that programs cannot (Streams Standard, section 9).
import { onAbort, reasonOf } from "../dom/index.js";

// isDisturbed reports whether anybody has read from a stream, or cancelled it.
// The npm package keeps that in a member; a conformance check holds it to it.
export const isDisturbed = (stream) => stream._disturbed;

// isUnusable is what a body may not be when it is to be read.
export const isUnusable = (stream) => isDisturbed(stream) || stream.locked;

// sink collects chunks, each copied when it comes: who wrote it may write the
// next into the same memory.
const sink = (most) => {
  let bytes = new Uint8Array(1024), total = 0;
  return {
    add(chunk) {
      if (!(chunk instanceof Uint8Array)) throw new TypeError("a chunk of the stream is not a Uint8Array");
      const size = total + chunk.length;
      if (size > most) throw new TypeError(`it has more than ${most} bytes, which is the limit`);
      if (size > bytes.length) bytes = new Uint8Array(bytes.buffer.transfer(Math.max(size, 2 * bytes.length)));
      bytes.set(chunk, total);
      total = size;
    },
    end: () => new Uint8Array(bytes.buffer.transfer(total)),
  };
};

const readInto = async (reader, { add, end }) => {
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return end();
    add(value);
  }
};

// readBytes reads a stream to its end. Every chunk must be a Uint8Array, and
// all together may have most bytes. A signal's abort cancels the stream, and
// what was read until then is returned.
export const readBytes = async (stream, { most = Infinity, signal = null } = {}) => {
  const reader = stream.getReader();
  const cancel = (reason) => { reader.cancel(reason).catch(() => {}); };
  const forget = signal === null ? () => {} : onAbort(signal, () => cancel(reasonOf(signal)));
  try {
    return await readInto(reader, sink(most));
  } catch (error) {
    cancel(error);
    throw error;
  } finally {
    forget();
  }
};
