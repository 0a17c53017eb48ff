/** Which cache tier answered. The first tier is called `dragonfly` over Redis too. */
export type CacheTier = 'dragonfly' | 'memory' | 'none';

/** What a route answers, as a value: nothing has been written yet, so every layer above can still look at it and add to it. */
export interface Reply {
  status: number;
  headers: Record<string, string>;
  body: Buffer;
  /** Left out by routes that have nothing to do with the cache. */
  cache?: { hit: boolean; tier: CacheTier };
  /** Why a 5xx: the message of the span's status. Low cardinality, and nothing of what the client sent. */
  failure?: string;
}

const nothing = Buffer.alloc(0);

export function json(status: number, value: unknown, headers: Record<string, string> = {}): Reply {
  return text(status, `${JSON.stringify(value)}\n`, 'application/json; charset=utf-8', headers);
}

export function text(status: number, body: string, contentType: string, headers: Record<string, string> = {}): Reply {
  return { status, headers: { 'content-type': contentType, ...headers }, body: Buffer.from(body) };
}

export function empty(status: number, headers: Record<string, string> = {}): Reply {
  return { status, headers, body: nothing };
}

/** The body of every refusal. */
export function problem(status: number, message: string, headers: Record<string, string> = {}): Reply {
  return json(status, { error: message }, headers);
}
