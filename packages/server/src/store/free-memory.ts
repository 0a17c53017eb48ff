import { MessageChannel } from 'node:worker_threads';

/**
 * Frees an array's memory at once, and leaves the array empty; only where the array is all of its buffer. Left to the garbage
 * collection, large results would bring it about again and again, each time through all that lives.
 */
export function freeMemory(array: ArrayBufferView): void {
  if (array.byteLength < smallest || array.byteLength !== array.buffer.byteLength) return;
  // What is sent belongs to the receiver, and there is none.
  nobody.postMessage(undefined, [array.buffer as ArrayBuffer]);
}

/** Less is not worth it, and may lie in memory that Node shares between buffers. */
const smallest = 64 * 1024;

const nobody = toNobody();

function toNobody(): MessageChannel['port1'] {
  const { port1, port2 } = new MessageChannel();
  port2.close();
  return port1;
}
