// Streams (WHATWG Streams Standard) from npm web-streams-polyfill, with what
// its build for old engines does otherwise put right.
import {
  ByteLengthQueuingStrategy,
  CountQueuingStrategy,
  ReadableByteStreamController,
  ReadableStream,
  ReadableStreamBYOBReader,
  ReadableStreamBYOBRequest,
  ReadableStreamDefaultController,
  ReadableStreamDefaultReader,
  TransformStream,
  TransformStreamDefaultController,
  WritableStream,
  WritableStreamDefaultController,
  WritableStreamDefaultWriter,
} from "web-streams-polyfill";

export {
  ByteLengthQueuingStrategy,
  CountQueuingStrategy,
  ReadableByteStreamController,
  ReadableStream,
  ReadableStreamBYOBReader,
  ReadableStreamBYOBRequest,
  ReadableStreamDefaultController,
  ReadableStreamDefaultReader,
  TransformStream,
  TransformStreamDefaultController,
  WritableStream,
  WritableStreamDefaultController,
  WritableStreamDefaultWriter,
};

// Asynchronous iterators inherit from %AsyncIteratorPrototype% (Web IDL,
// section 3.7.10.2), which the package imitates.
const protoOf = Object.getPrototypeOf;
const asyncIterator = protoOf(protoOf(protoOf((async function* () {})())));
Object.setPrototypeOf(protoOf(new ReadableStream().values()), asyncIterator);

// It left the standard, and signal.reason says it.
delete WritableStreamDefaultController.prototype.abortReason;
