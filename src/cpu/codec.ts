// Payloads and results as bytes: structured clone, with Buffers that stay Buffers.

import { DefaultDeserializer, serialize } from "node:v8";
import { toError } from "../errors.ts";
import { taskPayloadError } from "./task-errors.ts";

/**
 * Encodes `value`; `what` begins the message of a refusal (`The payload of task "x"`).
 * Throws `ALLCORES_ERR_TASK_PAYLOAD` for what cannot be cloned or needs more than `maxBytes`.
 */
export function encodeValue(value: unknown, maxBytes: number, what: string): Buffer {
  const bytes = serializeOrThrow(value, what);
  if (bytes.length > maxBytes) {
    throw taskPayloadError(`${what} has ${bytes.length} bytes, more than cpu.maxPayloadBytes (${maxBytes}).`);
  }
  return bytes;
}

/** Decodes what `encodeValue` made. The value shares no memory with `bytes`. */
export function decodeValue(bytes: Uint8Array): unknown {
  const deserializer = new CloneDeserializer(bytes);
  deserializer.readHeader();
  return deserializer.readValue();
}

function serializeOrThrow(value: unknown, what: string): Buffer {
  try {
    return serialize(value);
  } catch (thrown) {
    const error = toError(thrown);
    throw taskPayloadError(`${what} cannot be sent to another process: ${error.message}`, error);
  }
}

interface ViewReader {
  _readHostObject(): ArrayBufferView;
}
const { _readHostObject: readView } = DefaultDeserializer.prototype as unknown as ViewReader;

/** Node's own lets all views share the memory of the input, so that `view.buffer` shows what is not part of the view. */
class CloneDeserializer extends DefaultDeserializer {
  _readHostObject(): ArrayBufferView {
    const view = readView.call(this as unknown as ViewReader);
    const own = view.buffer.slice(view.byteOffset, view.byteOffset + view.byteLength);
    if (Buffer.isBuffer(view)) return Buffer.from(own);
    const View = view.constructor as new (buffer: ArrayBufferLike) => ArrayBufferView;
    return new View(own);
  }
}
