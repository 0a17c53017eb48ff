import http, { type ClientRequest, type IncomingMessage } from 'node:http';
import { type Attributes, context } from '@opentelemetry/api';
import { isTracingSuppressed } from '@opentelemetry/core';
import {
  handleOf,
  type Instrumentation,
  type InstrumentationContext,
  type InstrumentationHandle,
} from '../instrumentation.ts';
import { ClientRecorder, type ClientSpan } from './client-recorder.ts';
import { headerText } from './http-attributes.ts';

const responseChannel = 'http.client.response.finish';
const errorChannel = 'http.client.request.error';

type StoreHeader = (this: ClientRequest, firstLine: string, headers: unknown) => void;

interface RequestState {
  readonly span: ClientSpan;
  response?: IncomingMessage;
  error?: Error;
}

/**
 * `http.request`, `https.request` and everything built on them.
 *
 * Node's channels tell how a request ended but not, on every Node we support, when headers can still be added: before 22.12
 * there is no channel for it, and later ones speak after an array of headers has been written. `_storeHeader` is the one
 * place through which every request's headers pass, whoever imported `node:http` when and how, so that one method is wrapped.
 */
export const httpClientInstrumentation: Instrumentation = {
  name: 'http-client',
  enable(instrumentation: InstrumentationContext): InstrumentationHandle {
    const recorder = new ClientRecorder(instrumentation);
    const states = new WeakMap<ClientRequest, RequestState>();
    const prototype: object = http.ClientRequest.prototype;
    const original: unknown = Reflect.get(prototype, '_storeHeader');
    if (typeof original !== 'function') {
      instrumentation.warn(
        `this Node.js (${process.version}) keeps request headers elsewhere: outgoing http requests are not traced`,
      );
      return handleOf();
    }
    const finish = instrumentation.protect(end, () => {});
    const prepare = instrumentation.protect(begin, (...[, , , , headers]) => headers);
    const storeHeader: StoreHeader = function (firstLine, headers) {
      Reflect.apply(original, this, [firstLine, prepare(recorder, states, finish, this, headers)]);
    };
    Reflect.set(prototype, '_storeHeader', storeHeader);

    return handleOf(
      // It was inherited from OutgoingMessage, so what was set here is what has to go.
      () => void Reflect.deleteProperty(prototype, '_storeHeader'),
      instrumentation.subscribe(responseChannel, (message) => {
        const { request, response } = message as { request: ClientRequest; response: IncomingMessage };
        const state = states.get(request);
        if (state === undefined) return;
        state.response = response;
        recorder.respond(state.span, response.statusCode ?? 0, response.headers.location);
      }),
      instrumentation.subscribe(errorChannel, (message) => {
        const { request, error } = message as { request: ClientRequest; error: Error };
        const state = states.get(request);
        if (state !== undefined) state.error = error;
      }),
    );
  },
};

/** Starts the span and returns the headers to write: the same, plus those that propagate the context. */
function begin(
  recorder: ClientRecorder,
  states: WeakMap<ClientRequest, RequestState>,
  finish: typeof end,
  request: ClientRequest,
  headers: unknown,
): unknown {
  if (states.has(request) || isTracingSuppressed(context.active())) return headers;
  const url = urlOf(request, headers);
  const span = url && recorder.start(request.method, url);
  if (span === undefined) return headers;
  const state: RequestState = { span };
  states.set(request, state);
  // Comes after the response has been read to its end, and when it never will be.
  request.once('close', () => finish(recorder, request, state));
  return addHeaders(request, headers, recorder.headers(span));
}

function end(recorder: ClientRecorder, request: ClientRequest, { span, response, error }: RequestState): void {
  const attributes: Attributes = {};
  const { socket } = request;
  if (socket?.remoteAddress !== undefined) {
    attributes['network.peer.address'] = socket.remoteAddress;
    if (socket.remotePort !== undefined) attributes['network.peer.port'] = socket.remotePort;
  }
  if (response === undefined) {
    recorder.end(
      span,
      attributes,
      error ?? Object.assign(new Error('the request was aborted'), { code: 'ECONNRESET' }),
    );
    return;
  }
  attributes['http.response.status_code'] = response.statusCode ?? 0;
  attributes['network.protocol.version'] = response.httpVersion;
  const size = Number(response.headers['content-length']);
  if (Number.isSafeInteger(size) && request.method !== 'HEAD') attributes['http.response.body.size'] = size;
  recorder.end(span, attributes, response.complete ? undefined : (error ?? response.errored ?? undefined));
}

/** The three forms in which a ClientRequest's headers reach `_storeHeader`: a list, what `setHeader` collected, or none. */
function addHeaders(request: ClientRequest, headers: unknown, added: Readonly<Record<string, string>>): unknown {
  const entries = Object.entries(added);
  if (Array.isArray(headers)) {
    // What the application hands on from elsewhere must not stand beside ours: two of them mean none to the receiver.
    const kept = headerPairs(headers).filter(([name]) => !Object.hasOwn(added, String(name).toLowerCase()));
    return Array.isArray(headers[0]) ? [...kept, ...entries] : [...kept.flat(), ...entries.flat()];
  }
  if (headers === null || headers === undefined) return entries;
  for (const [name, value] of entries) request.setHeader(name, value);
  return headers;
}

function urlOf(request: ClientRequest, headers: unknown): URL | undefined {
  const host = hostHeader(request, headers) ?? request.host;
  const text = /^https?:\/\//i.test(request.path) ? request.path : `${request.protocol}//${host}${request.path}`;
  return URL.canParse(text) ? new URL(text) : undefined;
}

function hostHeader(request: ClientRequest, headers: unknown): string | undefined {
  if (!Array.isArray(headers)) return headerText(request.getHeader('host'));
  const found = headerPairs(headers).find(([name]) => String(name).toLowerCase() === 'host')?.[1];
  return typeof found === 'string' ? found : undefined;
}

/** A list of headers is one of pairs, or names and values in turn. */
function headerPairs(list: readonly unknown[]): readonly unknown[][] {
  if (Array.isArray(list[0])) return list as readonly unknown[][];
  return Array.from({ length: Math.floor(list.length / 2) }, (_, index) => [list[2 * index], list[2 * index + 1]]);
}
