import type { Socket } from 'node:net';
import { type Attributes, context } from '@opentelemetry/api';
import { isTracingSuppressed } from '@opentelemetry/core';
import {
  handleOf,
  type Instrumentation,
  type InstrumentationContext,
  type InstrumentationHandle,
} from '../instrumentation.ts';
import { ClientRecorder, type ClientSpan } from './client-recorder.ts';

/** What undici publishes about a request; the same for Node's own `fetch` and for the installed package. */
interface UndiciRequest {
  readonly origin: string | URL;
  readonly path: string;
  readonly method: string;
  /** Names and values in turn; text in old versions. */
  readonly headers?: unknown;
  addHeader(name: string, value: string): void;
}

interface UndiciMessage {
  readonly request: UndiciRequest;
  readonly socket?: Socket;
  readonly response?: { readonly statusCode: number; readonly headers: readonly (Buffer | string)[] };
  readonly error?: Error;
}

interface RequestState {
  readonly span: ClientSpan;
  readonly outcome: Attributes;
}

/** `fetch` and undici, through undici's own channels. */
export const fetchInstrumentation: Instrumentation = {
  name: 'fetch',
  enable(instrumentation: InstrumentationContext): InstrumentationHandle {
    const recorder = new ClientRecorder(instrumentation);
    const states = new WeakMap<object, RequestState>();
    const subscribers: Readonly<Record<string, (message: UndiciMessage) => void>> = {
      'undici:request:create': ({ request }) => begin(recorder, states, request),
      'undici:client:sendHeaders': ({ request, socket }) => {
        const state = states.get(request);
        if (state === undefined || socket?.remoteAddress === undefined) return;
        state.outcome['network.peer.address'] = socket.remoteAddress;
        if (socket.remotePort !== undefined) state.outcome['network.peer.port'] = socket.remotePort;
      },
      'undici:request:headers': ({ request, response }) => {
        const state = states.get(request);
        if (state === undefined || response === undefined) return;
        state.outcome['http.response.status_code'] = response.statusCode;
        if (response.statusCode >= 300)
          recorder.respond(state.span, response.statusCode, headerOf(response.headers, 'location'));
        const size =
          request.method === 'HEAD' ? Number.NaN : Number(headerOf(response.headers, 'content-length') ?? Number.NaN);
        if (Number.isSafeInteger(size)) state.outcome['http.response.body.size'] = size;
      },
      'undici:request:trailers': ({ request }) => end(recorder, states, request, undefined),
      'undici:request:error': ({ request, error }) => end(recorder, states, request, error),
    };
    return handleOf(
      ...Object.entries(subscribers).map(([channel, subscriber]) =>
        instrumentation.subscribe(channel, (message) => subscriber(message as UndiciMessage)),
      ),
    );
  },
};

function begin(recorder: ClientRecorder, states: WeakMap<object, RequestState>, request: UndiciRequest): void {
  if (isTracingSuppressed(context.active())) return;
  const base = String(request.origin);
  if (!URL.canParse(request.path, base)) return;
  const span = recorder.start(request.method, new URL(request.path, base));
  if (span === undefined) return;
  states.set(request, { span, outcome: {} });
  for (const [name, value] of Object.entries(recorder.headers(span))) setHeader(request, name, value);
}

/** What the application hands on from elsewhere is replaced: two of them mean none to the receiver. */
function setHeader(request: UndiciRequest, name: string, value: string): void {
  const { headers } = request;
  if (Array.isArray(headers)) {
    for (let index = 0; index + 1 < headers.length; index += 2) {
      if (String(headers[index]).toLowerCase() !== name) continue;
      headers[index + 1] = value;
      return;
    }
  }
  request.addHeader(name, value);
}

function end(
  recorder: ClientRecorder,
  states: WeakMap<object, RequestState>,
  request: UndiciRequest,
  error: Error | undefined,
): void {
  const state = states.get(request);
  if (state === undefined) return;
  states.delete(request);
  recorder.end(state.span, state.outcome, error);
}

/** undici gives raw headers: name, value, name, value. */
function headerOf(headers: readonly (Buffer | string)[], name: string): string | undefined {
  for (let index = 0; index + 1 < headers.length; index += 2) {
    if (headers[index]?.toString().toLowerCase() === name) return headers[index + 1]?.toString();
  }
  return undefined;
}
