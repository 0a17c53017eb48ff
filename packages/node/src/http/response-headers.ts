import { OutgoingMessage, type ServerResponse, validateHeaderName } from 'node:http';
import { type AnyFunction, wrapFunction } from '../modules/loaded-module.ts';

/** The method of Node's responses that makes the text of all headers, behind the line that it is given. */
const storeHeader = '_storeHeader';

/** A header's name that has been found valid, as it is sent and as Node knows it. */
export interface HeaderName {
  readonly sent: string;
  readonly key: string;
}

/** Throws for what is no name of a header. */
export function headerName(name: string): HeaderName {
  validateHeaderName(name);
  return { sent: name, key: name.toLowerCase() };
}

type Headers = Record<string, [name: string, value: string]>;
type Message = OutgoingMessage & Record<symbol, Headers | null | undefined>;

/** Where Node keeps the headers of a response; undefined where this Node keeps them in another way. */
let headersKey: symbol | undefined;
let isProbed = false;

/**
 * What Node keeps headers in, without anything inherited, as its own. But those are tables, which are slower to make and to go
 * through than objects that all begin with the same names.
 */
class KnownHeaders {}
Object.setPrototypeOf(KnownHeaders.prototype, null);
Reflect.deleteProperty(KnownHeaders.prototype, 'constructor');

/**
 * As `setHeader`, of a response that has not begun, for values that need no validation. `setHeader` looks at each character
 * of name and value, which is a quarter of all that is done for a request that nobody samples.
 */
export function setKnownHeader(response: OutgoingMessage, { sent, key }: HeaderName, value: string): void {
  const place = knownHeadersKey();
  if (place === undefined) {
    response.setHeader(sent, value);
    return;
  }
  const message = response as Message;
  message[place] ??= new KnownHeaders() as Headers;
  (message[place] as Headers)[key] = [sent, value];
}

/** The headers that `writeHead` of this response has been asked to send as well, as lines. */
let pendingLines = '';
let pendingResponse: unknown;

/**
 * Node goes through an object of headers that is given to `writeHead` at once, unless the response has headers already: then it
 * sets and validates each of them by itself, which costs more than all else that is done for ours. So ours are put behind the
 * line of the status, unless there are others beside them. Afterwards the response has the headers that it had, as without ours.
 * Returns what undoes it.
 */
export function sendKnownHeaders(prototype: ServerResponse, names: readonly HeaderName[]): () => void {
  if (typeof Reflect.get(prototype, storeHeader) !== 'function') return () => {};
  const undoStore = wrapFunction(prototype, storeHeader, (original) => {
    const withLines: AnyFunction = function (firstLine, headers) {
      if (pendingLines === '' || pendingResponse !== this) return Reflect.apply(original, this, [firstLine, headers]);
      const lines = pendingLines;
      pendingLines = '';
      return Reflect.apply(original, this, [`${firstLine}${lines}`, headers]);
    };
    return withLines;
  });
  const store: unknown = Reflect.get(prototype, storeHeader);
  const undoWrite = wrapFunction(
    prototype,
    'writeHead',
    (original) =>
      function (...args) {
        const place = knownHeadersKey();
        const given = typeof args[1] === 'string' ? args[2] : (args[2] ?? args[1]);
        if (place === undefined || typeof given !== 'object' || given === null || Array.isArray(given))
          return Reflect.apply(original, this, args);
        const message = this as Message;
        const headers = message[place];
        if (!(headers instanceof KnownHeaders) || (this as Readonly<Record<string, unknown>>)[storeHeader] !== store)
          return Reflect.apply(original, this, args);
        const lines = linesBeside(headers, given, names);
        if (lines === undefined) return Reflect.apply(original, this, args);
        message[place] = null;
        pendingLines = lines;
        pendingResponse = message;
        try {
          return Reflect.apply(original, this, args);
        } finally {
          message[place] = headers;
          pendingLines = '';
          pendingResponse = undefined;
        }
      },
  );
  return () => {
    undoWrite();
    undoStore();
  };
}

/** Undefined if there are others among `headers` than those of `names`, or with lists of values, or a name is in both. */
function linesBeside(headers: Headers, given: object, names: readonly HeaderName[]): string | undefined {
  for (const name in given) if (isAmong(names, name)) return undefined;
  let lines = '';
  for (const key in headers) {
    const header = headers[key] as Headers[string];
    if (!isAmong(names, key) || typeof header[1] !== 'string') return undefined;
    lines += `${header[0]}: ${header[1]}\r\n`;
  }
  return lines;
}

function isAmong(names: readonly HeaderName[], name: string): boolean {
  for (const { key } of names) if (name.length === key.length && name.toLowerCase() === key) return true;
  return false;
}

function knownHeadersKey(): symbol | undefined {
  if (!isProbed) {
    headersKey = findHeadersKey();
    isProbed = true;
  }
  return headersKey;
}

/** Found by trying, and only believed if what is written there is what Node then reads. */
function findHeadersKey(): symbol | undefined {
  const [empty, filled] = [new OutgoingMessage() as Message, new OutgoingMessage() as Message];
  filled.setHeader('X-Probe', 'a');
  const found = Object.getOwnPropertySymbols(filled).find((symbol) => {
    const [name, value, ...others] = filled[symbol]?.['x-probe'] ?? [];
    return name === 'X-Probe' && value === 'a' && others.length === 0 && empty[symbol] === null;
  });
  if (found === undefined) return undefined;
  empty[found] = Object.assign(new KnownHeaders() as Headers, { 'x-probe': ['X-Probe', 'b'] });
  const isRead = empty.getHeader('X-Probe') === 'b' && empty.getHeaderNames()[0] === 'x-probe';
  return isRead ? found : undefined;
}
