import workerThreads from 'node:worker_threads';
import type { UnansweredRequest } from '../export/otlp-exporter.ts';
import { requestHeaders } from '../export/otlp-request.ts';

// Taken before the instrumentation of threads replaces it: this thread is none of the application's.
const { Worker } = workerThreads;

interface ExitRequest {
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
      headers: requestHeaders(destination, body.byteLength, false),
      body,
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
  const { request: httpRequest } = process.getBuiltinModule('node:http');
  const { request: httpsRequest } = process.getBuiltinModule('node:https');
  let open = requests.length;
  const done = (): void => {
    open -= 1;
    if (open > 0) return;
    Atomics.store(signal, 0, 1);
    Atomics.notify(signal, 0);
  };
  for (const { url, headers, body, ca, cert, key } of requests) {
    const send = url.startsWith('https:') ? httpsRequest : httpRequest;
    const tls = {
      ...(ca && { ca: Buffer.from(ca) }),
      ...(cert && { cert: Buffer.from(cert) }),
      ...(key && { key: Buffer.from(key) }),
    };
    const request = send(url, { method: 'POST', headers, timeout: timeoutMillis, ...tls }, (response) => {
      if (response.statusCode !== undefined && response.statusCode < 300) Atomics.add(signal, 1, 1);
      response.resume();
      response.once('close', done);
    });
    request.once('error', done);
    request.end(body);
  }
}
