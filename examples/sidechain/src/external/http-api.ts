/** An HTTP API that speaks JSON. */
export class HttpApi {
  readonly #base: URL;

  constructor(base: URL) {
    this.#base = base;
  }

  /** Throws for what is no success, and after two seconds. */
  async get(path: string): Promise<unknown> {
    return this.#send(path, {});
  }

  async put(path: string, body: unknown): Promise<unknown> {
    return this.#send(path, {
      method: 'PUT',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
  }

  async #send(path: string, options: RequestInit): Promise<unknown> {
    const url = new URL(path, this.#base);
    const response = await fetch(url, { ...options, signal: AbortSignal.timeout(2_000) });
    if (!response.ok) throw new Error(`${url.host} answered ${response.status}`);
    return response.json();
  }
}
