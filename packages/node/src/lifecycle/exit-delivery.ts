import workerThreads from 'node:worker_threads';
import { grpcFrame, grpcHeaders } from '../export/grpc-request.ts';
import { requestHeaders } from '../export/http-outcome.ts';
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
  /** [0]: 1 when done; after it what became of each request. */
  readonly signal: Int32Array;
  readonly timeoutMillis: number;
}

/** What became of a request in the worker: 0 while nobody has answered, 1 if it was accepted. */
const refused = 2;

/** What is left of requests after the last attempt to send them. */
export interface ExitOutcome {
  /** Nobody answered, or asked to come back later. */
  readonly unanswered: readonly UnansweredRequest[];
  /** Would be refused again. */
  readonly refused: readonly UnansweredRequest[];
}

/**
 * Delivers requests from inside a `process.on('exit')` handler, where the event loop no longer turns: a worker thread has
 * a loop of its own, and this thread sleeps until it is done.
 */
export function deliverAtExit(requests: readonly UnansweredRequest[], timeoutMillis: number): ExitOutcome {
  const signal = new Int32Array(new SharedArrayBuffer(4 * (1 + requests.length)));
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
  const having = (outcomes: readonly number[]): UnansweredRequest[] =>
    requests.filter((_, index) => outcomes.includes(Atomics.load(signal, 1 + index)));
  return { unanswered: having([0]), refused: having([refused]) };
}

/** Runs in the worker from its source text: it may use nothing from this module but its argument. */
function deliverInWorker({ requests, signal, timeoutMillis }: ExitWorkerData): void {
  let open = requests.length;
  /** `outcome` as above, whose names are not here. */
  const done = (index: number, outcome: number): void => {
    Atomics.store(signal, 1 + index, outcome);
    open -= 1;
    if (open > 0) return;
    Atomics.store(signal, 0, 1);
    Atomics.notify(signal, 0);
  };
  for (const [index, { isGrpc, url, headers, body, ca, cert, key }] of requests.entries()) {
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
        // https://opentelemetry.io/docs/specs/otlp/#failures: cancelled, deadline, exhausted, aborted, range, unavailable, loss.
        const isRetryable = status === undefined || ['1', '4', '8', '10', '11', '14', '15'].includes(String(status));
        done(index, status === '0' ? 1 : isRetryable ? 0 : 2);
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
      request.once('close', () => {
        const isRetryable = status === 0 || [429, 502, 503, 504].includes(status);
        done(index, status >= 200 && status < 300 ? 1 : isRetryable ? 0 : 2);
      });
      request.end(body);
    }
  }
}
