import { observeChanges } from '@signalbox/node';

const maxKeptBytes = 1024 * 1024;

/** Changes of the store as a log that is kept until they have been read, as a database keeps its own for a replication slot. */
export class ChangeFeed {
  readonly #changes = observeChanges({ slot: 'store' });
  readonly #log: string[] = [];
  #keptBytes = 0;
  #isReading = false;

  append(change: { readonly op: 'put' | 'delete'; readonly key: string; readonly value?: string }): void {
    const line = JSON.stringify(change);
    if (this.#keptBytes + line.length > maxKeptBytes)
      throw new Error(`the log of changes is full: ${maxKeptBytes} bytes have not been read`);
    this.#keep(line.length);
    this.#log.push(line);
    if (this.#isReading) return;
    this.#isReading = true;
    setImmediate(() => this.#read());
  }

  /** What cannot be decoded is reported and passed over: the stream goes on. */
  #read(): void {
    for (let line = this.#log.shift(); line !== undefined; line = this.#log.shift()) {
      this.#keep(-line.length);
      try {
        const { value }: { value?: string } = JSON.parse(line);
        if (value !== undefined) JSON.parse(value);
        this.#changes.received();
      } catch (error) {
        this.#changes.fail(error);
      }
    }
    this.#isReading = false;
  }

  #keep(bytes: number): void {
    this.#keptBytes += bytes;
    this.#changes.retained(this.#keptBytes);
  }
}
