import type { TraceState } from '@opentelemetry/api';

const MAX_MEMBERS = 32;
/** Beyond what any header may be: Node itself takes 16 KiB of headers. */
const MAX_LENGTH = 8_192;
const KEY = /^[a-z0-9][a-z0-9_\-*/@]{0,255}$/;
/** Printable ASCII without `,` and `=`, not ending with a space. */
const VALUE = /^[\x20-\x2b\x2d-\x3c\x3e-\x7e]{0,255}[\x21-\x2b\x2d-\x3c\x3e-\x7e]$/;

type Member = readonly [key: string, value: string];

/**
 * The list of `tracestate` (https://www.w3.org/TR/trace-context-2/#tracestate-header): what every vendor on the way has to say,
 * the last one first. Immutable.
 */
export class W3CTraceState implements TraceState {
  readonly #members: readonly Member[];

  constructor(members: readonly Member[] = []) {
    this.#members = members;
  }

  /** Undefined when nothing is in it, or when any of it is malformed: then all of it has to be discarded. */
  static parse(header: string): W3CTraceState | undefined {
    if (header.length > MAX_LENGTH) return undefined;
    const members = new Map<string, string>();
    let count = 0;
    for (const part of header.split(',')) {
      const member = part.replace(/^[ \t]+|[ \t]+$/g, '');
      if (member === '') continue;
      const split = member.indexOf('=');
      const key = member.slice(0, split);
      const value = member.slice(split + 1);
      if (split < 0 || !KEY.test(key) || !VALUE.test(value) || ++count > MAX_MEMBERS) return undefined;
      if (!members.has(key)) members.set(key, value);
    }
    return members.size === 0 ? undefined : new W3CTraceState([...members]);
  }

  get(key: string): string | undefined {
    return this.#members.find(([known]) => known === key)?.[1];
  }

  /** The member moves to the front; the last one makes room when there are too many. What is malformed changes nothing. */
  set(key: string, value: string): W3CTraceState {
    if (!KEY.test(key) || !VALUE.test(value)) return this;
    return new W3CTraceState([[key, value] as const, ...this.#others(key)].slice(0, MAX_MEMBERS));
  }

  unset(key: string): W3CTraceState {
    return new W3CTraceState(this.#others(key));
  }

  serialize(): string {
    return this.#members.map(([key, value]) => `${key}=${value}`).join(',');
  }

  #others(key: string): Member[] {
    return this.#members.filter(([known]) => known !== key);
  }
}
