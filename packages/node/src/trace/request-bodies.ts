/** So many that are not in use are kept, if they are not larger than most are. */
const maxSpare = 2;
const maxSpareBytes = 512 * 1024;
/** Smaller bodies have memory of their own, no more than they are long: while nobody takes them, very many may wait. */
const stepBytes = 32 * 1024;

/**
 * Bodies of requests, in memory that is used again once a request has been accepted: the system hands out new memory page by page, when it
 * is first written to, which takes longer than what is written.
 */
export class RequestBodies {
  #spare: Buffer[] = [];

  /** One body of `parts`, which are copied. */
  concat(parts: readonly Uint8Array[]): Buffer {
    let length = 0;
    for (const part of parts) length += part.length;
    const memory = this.#take(length);
    let at = 0;
    for (const part of parts) {
      memory.set(part, at);
      at += part.length;
    }
    return memory.subarray(0, length);
  }

  /** `body` is one of `concat`, and nobody reads it any more. */
  giveBack({ buffer }: Uint8Array): void {
    const isUseful = buffer.byteLength >= stepBytes && buffer.byteLength <= maxSpareBytes;
    if (isUseful && buffer instanceof ArrayBuffer && this.#spare.length < maxSpare)
      this.#spare.push(Buffer.from(buffer));
  }

  #take(length: number): Buffer {
    if (length < stepBytes) return Buffer.allocUnsafeSlow(length);
    const index = this.#spare.findIndex((spare) => spare.length >= length);
    const [spare] = index < 0 ? [] : this.#spare.splice(index, 1);
    // Batches have grown: those that are too small for one are for the next, too.
    if (spare === undefined) this.#spare = [];
    return spare ?? Buffer.allocUnsafeSlow(Math.ceil(length / stepBytes) * stepBytes);
  }
}
