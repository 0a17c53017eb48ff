import { once } from 'node:events';
import { connect, type Socket } from 'node:net';

const connections = 32;

/** What a load on a service met with. */
export interface LoadResult {
  readonly answered: number;
  /** From when a request was due until its response was there, ascending; with `requestsPerSecond` only. */
  readonly latencyMillis: readonly number[];
}

/**
 * Sends `amount` GET requests over 32 connections that are kept, at once or at a pace. It looks at no more of a response
 * than its status and length, so that a service is never idle because of this side. Every response but 200 is an error.
 */
export async function load(
  port: number,
  path: string,
  amount: number,
  requestsPerSecond?: number,
): Promise<LoadResult> {
  const sockets = await Promise.all(Array.from({ length: connections }, () => open(port)));
  try {
    const request = `GET ${path} HTTP/1.1\r\nhost: 127.0.0.1:${port}\r\nuser-agent: bench\r\n\r\n`;
    return requestsPerSecond === undefined
      ? await atOnce(sockets, request, amount)
      : await paced(sockets, request, amount, requestsPerSecond);
  } finally {
    for (const socket of sockets) socket.destroy();
  }
}

async function open(port: number): Promise<Socket> {
  const socket = connect(port, '127.0.0.1');
  socket.setNoDelay(true);
  await once(socket, 'connect');
  return socket;
}

async function atOnce(sockets: readonly Socket[], request: string, amount: number): Promise<LoadResult> {
  let begun = 0;
  using _ = stayAwake();
  await Promise.all(
    sockets.map((socket) =>
      exchange(socket, () => {
        if (begun >= amount) return false;
        begun += 1;
        socket.write(request);
        return true;
      }),
    ),
  );
  return { answered: begun, latencyMillis: [] };
}

/**
 * Keeps this process looking for responses instead of waiting for them. Whoever writes to a process that sleeps pays for
 * waking it, so a slower service, whose client sleeps more often, would be charged for that too.
 */
function stayAwake(): Disposable {
  let isOver = false;
  const look = (): void => {
    if (!isOver) setImmediate(look);
  };
  look();
  return {
    [Symbol.dispose]() {
      isOver = true;
    },
  };
}

async function paced(sockets: readonly Socket[], request: string, amount: number, rate: number): Promise<LoadResult> {
  const latencyMillis: number[] = [];
  const idle = new Set(sockets);
  const due = new Map<Socket, number>();
  const started = performance.now();
  let begun = 0;
  const sendDue = (): void => {
    const wanted = Math.min(amount, ((performance.now() - started) * rate) / 1000);
    for (const socket of idle) {
      if (begun >= wanted) return;
      due.set(socket, started + (begun * 1000) / rate);
      begun += 1;
      idle.delete(socket);
      socket.write(request);
    }
  };
  const timer = setInterval(sendDue, 1);
  try {
    await new Promise<void>((resolve, reject) => {
      for (const socket of sockets)
        exchange(socket, (isFirst) => {
          if (!isFirst) {
            latencyMillis.push(performance.now() - (due.get(socket) ?? 0));
            idle.add(socket);
            if (latencyMillis.length === amount) resolve();
            else sendDue();
          }
          return true;
        }).catch(reject);
    });
  } finally {
    clearInterval(timer);
  }
  return { answered: begun, latencyMillis: latencyMillis.sort((one, other) => one - other) };
}

/** Calls `next` at the beginning and after each whole response, until it says no. */
function exchange(socket: Socket, next: (isFirst: boolean) => boolean): Promise<void> {
  return new Promise((resolve, reject) => {
    // All responses of a service are equally long, so that only the first is parsed.
    let length = 0;
    let received = 0;
    let head = '';
    socket.on('error', reject);
    socket.on('close', () => reject(new Error('the service closed a connection')));
    socket.on('data', (chunk) => {
      if (received === 0 && chunk.toString('latin1', 9, 12) !== '200') reject(new Error(`it answered ${chunk}`));
      received += chunk.length;
      if (length === 0) {
        head += chunk.toString('latin1');
        length = lengthOf(head);
      }
      if (length === 0 || received < length) return;
      received = 0;
      if (!next(false)) resolve();
    });
    if (!next(true)) resolve();
  });
}

/** Of head and body; 0 while that is not known yet. */
function lengthOf(response: string): number {
  const end = response.indexOf('\r\n\r\n');
  const body = /\r\ncontent-length: *(\d+)/i.exec(response)?.[1];
  if (end < 0) return 0;
  if (body === undefined) throw new Error(`a response without Content-Length: ${response.slice(0, end)}`);
  return end + 4 + Number(body);
}
