/** What a server has answered, as a whole. */
export interface HttpAnswer {
  readonly status: number;
  readonly reason: string;
  /** By name in lower case; of one that comes again, all values, separated by commas. */
  readonly headers: ReadonlyMap<string, string>;
  /** Empty where it is longer than wanted. */
  readonly body: Buffer;
}

/** What has come is no HTTP/1.1. */
export class MalformedAnswerError extends Error {}

/** Of a head and of any line in a body in chunks: as much as Node's own client takes. */
const maxHeadBytes = 16 * 1024;
const protocol = 'HTTP/1.';
const CR = 13;
const LF = 10;
const noBytes = Buffer.alloc(0);

type Part = 'head' | 'bytes' | 'rest' | 'chunkSize' | 'chunk' | 'chunkEnd' | 'trailers' | 'nothing';

/**
 * Reads the answer to one request as it comes (RFC 9112). Node's client would, but costs several times what writing a request
 * and reading its answer do.
 */
export class AnswerReader {
  readonly #maxBodyBytes: number;
  #part: Part = 'head';
  #status = 0;
  #reason = '';
  #headers: ReadonlyMap<string, string> = new Map();
  #minorVersion = 1;
  readonly #body: Buffer[] = [];
  #bodyBytes = 0;
  /** Bytes that are missing of the body, or of the chunk. */
  #missing = 0;
  /** What has come and could not be understood yet. */
  #pending: Buffer = noBytes;

  constructor(maxBodyBytes: number) {
    this.#maxBodyBytes = maxBodyBytes;
  }

  /** The answer that `bytes`, which can be used again afterwards, hold the end of. Throws `MalformedAnswerError`. */
  read(bytes: Buffer): HttpAnswer | undefined {
    if (this.#isWhole()) throw new MalformedAnswerError('more than an answer');
    this.#pending = this.#pending.length === 0 ? bytes : Buffer.concat([this.#pending, bytes]);
    while (this.#readPart());
    if (this.#isWhole()) return this.#answer();
    if (this.#pending.length > maxHeadBytes) throw new MalformedAnswerError('a head or a line that is too long');
    this.#pending = Buffer.from(this.#pending);
    return undefined;
  }

  /** The answer that the end of the connection is the end of; undefined if it has been cut off. */
  end(): HttpAnswer | undefined {
    return this.#part === 'rest' ? this.#answer() : undefined;
  }

  /** Whether the connection can be used for another request. */
  get keepsConnection(): boolean {
    // What is behind the answer is one to nothing.
    return (
      this.#isWhole() &&
      this.#pending.length === 0 &&
      this.#minorVersion === 1 &&
      !/\bclose\b/i.test(this.#header('connection') ?? '')
    );
  }

  /** Whether it can be that there is more to understand. */
  #readPart(): boolean {
    switch (this.#part) {
      case 'head':
        return this.#readHead();
      case 'bytes':
        return this.#take(this.#missing) && this.#goOn('nothing');
      case 'rest':
        this.#missing = this.#pending.length;
        this.#take(this.#missing);
        return false;
      case 'chunk':
        return this.#take(this.#missing) && this.#goOn('chunkEnd');
      case 'nothing':
        return false;
      default:
        return this.#readLine(this.#part);
    }
  }

  #readHead(): boolean {
    while (this.#pending[0] === CR && this.#pending[1] === LF) this.#pending = this.#pending.subarray(2);
    const pending = this.#pending;
    if (pending.length === 1 && pending[0] === CR) return false;
    if (!pending.toString('latin1', 0, protocol.length).startsWith(protocol.slice(0, pending.length)))
      throw new MalformedAnswerError('something else than HTTP/1.1');
    const end = pending.indexOf('\r\n\r\n');
    if (end < 0) return false;
    const lines = pending.toString('latin1', 0, end).split('\r\n');
    this.#pending = pending.subarray(end + 4);
    const match = /^HTTP\/1\.([01]) (\d{3})(?: (.*))?$/.exec(lines[0] ?? '');
    if (match === null) throw new MalformedAnswerError('a status that cannot be read');
    this.#minorVersion = Number(match[1]);
    this.#status = Number(match[2]);
    this.#reason = match[3] ?? '';
    this.#headers = readHeaders(lines.slice(1));
    // Nobody has asked to switch protocols; everything else that begins with 1 says that an answer will come.
    if (this.#status === 101) throw new MalformedAnswerError('another protocol than asked for');
    return this.#status < 200 || this.#goOn(this.#bodyPart());
  }

  #bodyPart(): Part {
    if (this.#status === 204 || this.#status === 304) return 'nothing';
    const coding = this.#header('transfer-encoding');
    if (coding !== undefined) {
      if (coding.toLowerCase() !== 'chunked') throw new MalformedAnswerError('an unknown transfer coding');
      return 'chunkSize';
    }
    const length = this.#header('content-length');
    if (length === undefined) return 'rest';
    if (!/^\d{1,15}$/.test(length)) throw new MalformedAnswerError('a length that cannot be read');
    this.#missing = Number(length);
    return 'bytes';
  }

  #readLine(part: 'chunkSize' | 'chunkEnd' | 'trailers'): boolean {
    const end = this.#pending.indexOf('\r\n');
    if (end < 0) return false;
    const line = this.#pending.toString('latin1', 0, end);
    this.#pending = this.#pending.subarray(end + 2);
    if (part === 'trailers') return line !== '' || this.#goOn('nothing');
    if (part === 'chunkEnd') {
      if (line !== '') throw new MalformedAnswerError('a chunk that is longer than it said');
      return this.#goOn('chunkSize');
    }
    const size = /^([0-9a-f]{1,12})[ \t]*(?:;.*)?$/i.exec(line)?.[1];
    if (size === undefined) throw new MalformedAnswerError('a chunk whose size cannot be read');
    this.#missing = Number.parseInt(size, 16);
    return this.#goOn(this.#missing === 0 ? 'trailers' : 'chunk');
  }

  #isWhole(): boolean {
    return this.#part === 'nothing';
  }

  #goOn(part: Part): boolean {
    this.#part = part;
    return true;
  }

  /** Whether nothing is missing afterwards. */
  #take(size: number): boolean {
    const taken = this.#pending.subarray(0, size);
    this.#pending = this.#pending.subarray(taken.length);
    this.#missing -= taken.length;
    this.#bodyBytes += taken.length;
    if (taken.length > 0 && this.#bodyBytes <= this.#maxBodyBytes) this.#body.push(Buffer.from(taken));
    return this.#missing === 0;
  }

  #header(name: string): string | undefined {
    return this.#headers.get(name);
  }

  #answer(): HttpAnswer {
    const body = this.#bodyBytes <= this.#maxBodyBytes ? Buffer.concat(this.#body) : noBytes;
    return { status: this.#status, reason: this.#reason, headers: this.#headers, body };
  }
}

function readHeaders(lines: readonly string[]): ReadonlyMap<string, string> {
  const headers = new Map<string, string>();
  for (const line of lines) {
    const colon = line.indexOf(':');
    if (!/^[!#$%&'*+.^_`|~\w-]+$/.test(line.slice(0, Math.max(0, colon))) || /[\r\n\0]/.test(line))
      throw new MalformedAnswerError('a header that cannot be read');
    const name = line.slice(0, colon).toLowerCase();
    const value = withoutBlanks(line.slice(colon + 1));
    const before = headers.get(name);
    headers.set(name, before === undefined ? value : `${before}, ${value}`);
  }
  return headers;
}

/** Without spaces and tabs at both ends. A pattern for both ends takes the square of their number. */
function withoutBlanks(text: string): string {
  let start = 0;
  let end = text.length;
  while (start < end && isBlank(text.charCodeAt(start))) start += 1;
  while (end > start && isBlank(text.charCodeAt(end - 1))) end -= 1;
  return text.slice(start, end);
}

function isBlank(code: number): boolean {
  return code === 32 || code === 9;
}
