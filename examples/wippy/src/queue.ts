import { randomUUID } from 'node:crypto';
import { type ObservedQueue, observeQueue } from '@signalbox/node';

interface Message {
  readonly id: string;
  readonly headers: Record<string, string>;
  readonly body: unknown;
  attempt: number;
}

const maxWaiting = 1000;
const maxAttempts = 3;

/** A queue in memory with one consumer. Messages wait as text, as they would in a broker; one that fails comes again. */
export class Queue {
  readonly #observed: ObservedQueue<Message>;
  readonly #waiting: string[] = [];
  readonly #consume: (body: unknown) => Promise<unknown>;
  #isRunning = false;

  constructor(name: string, consume: (body: unknown) => Promise<unknown>) {
    this.#observed = observeQueue<Message>({ name, system: 'wippy' });
    this.#consume = consume;
  }

  publish(body: unknown): string {
    const message: Message = { id: randomUUID(), headers: {}, body, attempt: 1 };
    this.#observed.publish(message, (sent) => {
      if (this.#waiting.length >= maxWaiting) throw new Error(`the queue is full: ${maxWaiting} messages wait`);
      this.#waiting.push(JSON.stringify(sent));
    });
    void this.#run();
    return message.id;
  }

  async #run(): Promise<void> {
    if (this.#isRunning) return;
    this.#isRunning = true;
    for (let text = this.#waiting.shift(); text !== undefined; text = this.#waiting.shift()) {
      const message: Message = JSON.parse(text);
      await this.#observed
        .process(message, ({ body }) => this.#consume(body))
        .catch(() => {
          // The wrapper has recorded it as given back.
          if (message.attempt < maxAttempts)
            this.#waiting.push(JSON.stringify({ ...message, attempt: message.attempt + 1 }));
        });
    }
    this.#isRunning = false;
  }
}
