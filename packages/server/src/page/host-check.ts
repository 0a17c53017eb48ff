import { isIP } from 'node:net';

/**
 * Decides by a request's `Host` header whether it was meant for this server.
 *
 * A page of a stranger can point its own host name at 127.0.0.1 and then read our answers as its own (DNS rebinding). Such
 * a request carries the stranger's name, so only addresses, `localhost` and names the user allowed pass.
 */
export class HostCheck {
  readonly #allowed: ReadonlySet<string>;

  /** `names` without ports; `*` allows any. */
  constructor(names: readonly string[]) {
    this.#allowed = new Set(['localhost', ...names.map((name) => name.toLowerCase())]);
  }

  allows(host: string | undefined): boolean {
    if (this.#allowed.has('*')) return true;
    const name = hostName(host);
    return name !== undefined && (isIP(name) !== 0 || name.endsWith('.localhost') || this.#allowed.has(name));
  }
}

/** `example.com:4319` → `example.com`, `[::1]:4319` → `::1`; undefined when it is not a host at all. */
function hostName(host: string | undefined): string | undefined {
  const match = /^(?:\[([0-9a-f:.]+)\]|([^:@/\s[\]]+))(?::\d{1,5})?$/i.exec(host ?? '');
  return (match?.[1] ?? match?.[2])?.toLowerCase();
}
