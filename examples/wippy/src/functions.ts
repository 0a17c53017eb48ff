import { traced } from '@signalbox/node';

type Handler = (input: unknown) => Promise<unknown>;

/** The functions of an application by their ids (`app.api:hello`): whatever is called is called through here, and so is seen. */
export class Functions {
  readonly #handlers = new Map<string, Handler>();

  register(id: string, handler: Handler): void {
    this.#handlers.set(id, traced(handler, { name: id }));
  }

  async call(id: string, input?: unknown): Promise<unknown> {
    const handler = this.#handlers.get(id);
    if (handler === undefined) throw new Error(`no function ${id} is registered`);
    return await handler(input);
  }
}
