/** Headers of a NATS message, whose names may be there several times and tell capitals from small letters. */
export interface NatsHeaders {
  /** Of messages that the server sends about others; 0 in those of applications. */
  readonly code: number;
  readonly description: string;
  keys(): string[];
  values(key: string): string[];
  append(key: string, value: string): void;
  set(key: string, value: string): void;
}

export type CreateHeaders = (code?: number, description?: string) => NatsHeaders;

/** A copy that can be written to: those that the application sends with stay as they are. */
export function copyHeaders(headers: NatsHeaders | undefined, create: CreateHeaders): NatsHeaders {
  if (headers === undefined) return create();
  const copy = create(headers.code, headers.description);
  for (const key of headers.keys()) for (const value of headers.values(key)) copy.append(key, value);
  return copy;
}

/** Reads headers without regard to capitals: producers in other languages write `Traceparent`. */
export class NatsHeaderReader {
  readonly #headers: NatsHeaders;

  constructor(headers: NatsHeaders) {
    this.#headers = headers;
  }

  keys(): string[] {
    return this.#headers.keys();
  }

  get(key: string): string | undefined {
    const wanted = key.toLowerCase();
    const found = this.#headers.keys().find((each) => each.toLowerCase() === wanted);
    return found === undefined ? undefined : this.#headers.values(found)[0];
  }

  set(key: string, value: string): void {
    this.#headers.set(key, value);
  }
}
