import { connect } from 'node:net';
import type { HostileTarget } from './hostile-target.ts';

export interface RawResponse {
  readonly status: number;
  readonly headers: ReadonlyMap<string, string>;
  readonly body: Buffer;
}

export interface RawSend {
  readonly port: number;
  readonly chunks: readonly (Buffer | string)[];
  /** What the sender does after its last byte: wait for the answer, half-close, or cut the connection. */
  readonly ending: 'wait' | 'end' | 'cut';
}

/** Sends bytes over TCP as they are. Null: the target closed the connection without a (whole) answer, or was cut off. */
export function sendRaw(target: HostileTarget, { port, chunks, ending }: RawSend): Promise<RawResponse | null> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: target.host, port });
    const received: Buffer[] = [];
    const finish = (response: RawResponse | null) => {
      socket.destroy();
      resolve(response);
    };
    socket.setNoDelay(true);
    socket.setTimeout(target.patienceMs, () => {
      socket.destroy();
      reject(new Error(`no answer within ${target.patienceMs} ms`));
    });
    socket.on('error', (error: NodeJS.ErrnoException) => {
      // A reset is an end like another once the connection was there; not to be listening is the target's death.
      if (error.code === 'ECONNREFUSED') {
        reject(error);
      } else {
        finish(parseResponse(Buffer.concat(received)));
      }
    });
    socket.on('data', (chunk) => {
      received.push(chunk);
      const response = parseResponse(Buffer.concat(received));
      if (response !== null) {
        finish(response);
      }
    });
    socket.on('close', () => finish(parseResponse(Buffer.concat(received))));
    socket.on('connect', () => {
      for (const chunk of chunks) {
        socket.write(chunk);
      }
      if (ending === 'end') {
        socket.end();
      } else if (ending === 'cut') {
        setImmediate(() => finish(null));
      }
    });
  });
}

/** A whole response at the start of `bytes`; interim responses are passed over. */
function parseResponse(bytes: Buffer): RawResponse | null {
  const end = bytes.indexOf('\r\n\r\n');
  if (end < 0) {
    return null;
  }
  const [statusLine = '', ...lines] = bytes.subarray(0, end).toString('latin1').split('\r\n');
  const status = Number(/^HTTP\/1\.1 (\d{3})/.exec(statusLine)?.[1]);
  const rest = bytes.subarray(end + 4);
  if (status < 200) {
    return parseResponse(rest);
  }
  const headers = new Map<string, string>();
  for (const line of lines) {
    const colon = line.indexOf(':');
    headers.set(line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim());
  }
  const length = Number(headers.get('content-length') ?? 0);
  return rest.length < length ? null : { status, headers, body: rest.subarray(0, length) };
}
