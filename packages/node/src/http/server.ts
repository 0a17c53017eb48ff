import { type IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { type Context, context } from '@opentelemetry/api';
import {
  handleOf,
  type Instrumentation,
  type InstrumentationContext,
  type InstrumentationHandle,
} from '../instrumentation.ts';
import { Http1Exchange } from './http1-exchange.ts';
import { ownServers } from './own-servers.ts';
import { sendKnownHeaders } from './response-headers.ts';
import { ServerRecorder } from './server-recorder.ts';

const startChannel = 'http.server.request.start';

interface StartMessage {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly socket: Socket;
  readonly server: object;
}

/** `node:http` and `node:https` servers, through the channel that Node itself publishes every request on. */
export const httpServerInstrumentation: Instrumentation = {
  name: 'http-server',
  enable(instrumentation: InstrumentationContext): InstrumentationHandle {
    const recorder = new ServerRecorder(instrumentation);
    return handleOf(
      sendKnownHeaders(ServerResponse.prototype, recorder.headers),
      instrumentation.subscribe(startChannel, (message) => {
        const { request, response, socket, server } = message as StartMessage;
        if (ownServers.has(server)) return;
        const requestContext = recorder.begin(new Http1Exchange(request, response, socket));
        instrumentation.enterContext(requestContext);
        if (mayHaveBody(request)) bindEvents(request, requestContext);
      }),
    );
  },
};

function mayHaveBody(request: IncomingMessage): boolean {
  const { headers } = request;
  return (
    headers['transfer-encoding'] !== undefined ||
    (headers['content-length'] !== undefined && headers['content-length'] !== '0')
  );
}

/**
 * Body events come from the connection, which outlives the request; since Node 24 they run in the connection's context.
 * Requests without a body have no such events, and are spared the cost.
 */
function bindEvents(request: IncomingMessage, requestContext: Context): void {
  const emit = request.emit;
  request.emit = function emitInContext(this: IncomingMessage, ...args: Parameters<typeof emit>) {
    return context.with(requestContext, emit, this, ...args);
  } as typeof emit;
}
