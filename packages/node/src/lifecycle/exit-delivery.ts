import workerThreads from 'node:worker_threads';
import { grpcFrame, grpcHeaders } from '../export/grpc-request.ts';
import { requestHeaders } from '../export/http-transport.ts';
import type { UnansweredRequest } from '../export/otlp-exporter.ts';

// Taken before the instrumentation of threads replaces it: this thread is none of the application's.
const { Worker } = workerThreads;

interface ExitRequest {
  /** Over HTTP/2, with the status in the trailers. */
  readonly isGrpc: boolean;
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
  readonly ca?: Uint8Array;
  readonly cert?: Uint8Array;
  readonly key?: Uint8Array;
}

interface ExitWorkerData {
  readonly requests: readonly ExitRequest[];
  /** [0]: 1 when done; [1]: requests that were accepted. */
  readonly signal: Int32Array;
  readonly timeoutMillis: number;
}

/**
 * Delivers requests from inside a `process.on('exit')` handler, where the event loop no longer turns: a worker thread has
 * a loop of its own, and this thread sleeps until it is done. Returns how many requests were accepted.
 */
export function deliverAtExit(requests: readonly UnansweredRequest[], timeoutMillis: number): number {
  const signal = new Int32Array(new SharedArrayBuffer(8));
  const workerData: ExitWorkerData = {
    requests: requests.map(({ destination, body }) => ({
      url: destination.url,
      ...(destination.protocol === 'grpc'
        ? { isGrpc: true, headers: grpcHeaders(destination, false), body: grpcFrame(body, false) }
        : { isGrpc: false, headers: requestHeaders(destination, body.byteLength, false), body }),
      ...(destination.ca && { ca: destination.ca }),
      ...(destination.cert && { cert: destination.cert }),
      ...(destination.key && { key: destination.key }),
    })),
    signal,
    timeoutMillis,
  };
  // esbuild's keepNames, which tsx sets, puts calls of a helper into the text.
  const helpers = 'const __name = (target) => target;';
  // Neither NODE_OPTIONS nor --import: the worker must not start telemetry of its own.
  const worker = new Worker(`${helpers}(${deliverInWorker.toString()})(require('node:worker_threads').workerData)`, {
    eval: true,
    workerData,
    execArgv: [],
    env: {},
  });
  worker.on('error', () => Atomics.notify(signal, 0));
  Atomics.wait(signal, 0, 0, timeoutMillis);
  return Atomics.load(signal, 1);
}

/** Runs in the worker from its source text: it may use nothing from this module but its argument. */
function deliverInWorker({ requests, signal, timeoutMillis }: ExitWorkerData): void {
  let open = requests.length;
  const done = (isAccepted: boolean): void => {
    if (isAccepted) Atomics.add(signal, 1, 1);
    open -= 1;
    if (open > 0) return;
    Atomics.store(signal, 0, 1);
    Atomics.notify(signal, 0);
  };
  for (const { isGrpc, url, headers, body, ca, cert, key } of requests) {
    const tls = {
      ...(ca && { ca: Buffer.from(ca) }),
      ...(cert && { cert: Buffer.from(cert) }),
      ...(key && { key: Buffer.from(key) }),
    };
    if (isGrpc) {
      let status: unknown;
      const session = process.getBuiltinModule('node:http2').connect(new URL(url).origin, tls);
      session.on('error', () => {});
      const stream = session.request(headers);
      const look = (received: object): void => {
        status = Reflect.get(received, 'grpc-status') ?? status;
      };
      stream.on('response', look);
      stream.on('trailers', look);
      stream.on('error', () => {});
      stream.once('close', () => {
        session.destroy();
        done(status === '0');
      });
      stream.resume();
      stream.end(body);
    } else {
      let status = 0;
      const send = process.getBuiltinModule(url.startsWith('https:') ? 'node:https' : 'node:http').request;
      const request = send(url, { method: 'POST', headers, timeout: timeoutMillis, ...tls }, (response) => {
        status = response.statusCode ?? 0;
        response.resume();
      });
      request.once('error', () => {});
      request.once('close', () => done(status >= 200 && status < 300));
      request.end(body);
    }
  }
}
