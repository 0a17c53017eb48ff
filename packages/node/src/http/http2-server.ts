import type { IncomingHttpHeaders, ServerHttp2Stream } from 'node:http2';
import { Server } from 'node:net';
import { context } from '@opentelemetry/api';
import {
  handleOf,
  type Instrumentation,
  type InstrumentationContext,
  type InstrumentationHandle,
} from '../instrumentation.ts';
import { wrapFunction } from '../modules/loaded-module.ts';
import { Http2Exchange } from './http2-exchange.ts';
import { ServerRecorder } from './server-recorder.ts';

/**
 * `node:http2` servers. Node 20 has no channel for them, and loading the module to change it would cost every program that
 * has no use for it. But each of its servers is a `net.Server`, and each request of theirs the event `stream`, from which
 * requests and responses are made as well.
 */
export const http2ServerInstrumentation: Instrumentation = {
  name: 'http2-server',
  enable(instrumentation: InstrumentationContext): InstrumentationHandle {
    const recorder = new ServerRecorder(instrumentation);
    const begin = instrumentation.protect(
      (stream: ServerHttp2Stream, headers: IncomingHttpHeaders) => {
        const requestContext = recorder.begin(new Http2Exchange(stream, headers));
        const { emit } = stream;
        // Its events come from the connection, which outlives it.
        if (!stream.endAfterHeaders)
          stream.emit = function (this: ServerHttp2Stream, ...args: Parameters<typeof emit>) {
            return context.with(requestContext, emit, this, ...args);
          } as typeof emit;
        return requestContext;
      },
      () => context.active(),
    );
    return handleOf(
      wrapFunction(
        Server.prototype,
        'emit',
        (emit) =>
          function (...args) {
            const [event, stream, headers] = args;
            if (event !== 'stream' || !isStream(stream)) return Reflect.apply(emit, this, args);
            return context.with(begin(stream, headers as IncomingHttpHeaders), () => Reflect.apply(emit, this, args));
          },
      ),
    );
  },
};

function isStream(value: unknown): value is ServerHttp2Stream {
  return typeof value === 'object' && value !== null && 'sentHeaders' in value && 'respond' in value;
}
