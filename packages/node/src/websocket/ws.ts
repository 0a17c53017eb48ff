import type { EventEmitter } from 'node:events';
import type { IncomingMessage } from 'node:http';
import type { InstrumentationContext } from '../instrumentation.ts';
import type { AnyFunction } from '../modules/loaded-module.ts';
import { observeCall } from '../surfaces/operation.ts';
import { observeConnection } from './observe-connection.ts';
import type { WebSocketRecorder } from './websocket-recorder.ts';

type OnConnected = (socket: EventEmitter, request: IncomingMessage, ...rest: unknown[]) => unknown;

/** `handleUpgrade` is the way of every connection, whether the server listens by itself or is handed its requests. */
export function hookWs({ onModule }: InstrumentationContext, recorder: WebSocketRecorder): () => void {
  return onModule<{ readonly prototype: { handleUpgrade: AnyFunction } }>(
    'ws',
    { versions: { from: '8', below: '9' }, files: ['lib/websocket-server.js'] },
    (WebSocketServer, module) => {
      module.wrap(WebSocketServer.prototype, 'handleUpgrade', (original) => observeUpgrades(original, () => recorder));
    },
  );
}

/** Those whose connection is being observed already, by the library's hook or by `observeWebSocketServer`. */
const observedRequests = new WeakSet<object>();

/** `handleUpgrade(request, socket, head, onConnected)`, whose callback gets an observed socket, inside its connection's span. */
export function observeUpgrades(
  handleUpgrade: AnyFunction,
  recorderOf: () => WebSocketRecorder | undefined,
): AnyFunction {
  return function observedHandleUpgrade(this: unknown, ...args: unknown[]) {
    const recorder = recorderOf();
    const [request, socket, head, onConnected] = args as [IncomingMessage, unknown, unknown, OnConnected];
    if (
      recorder === undefined ||
      typeof onConnected !== 'function' ||
      isEngineIo(request) ||
      observedRequests.has(request)
    )
      return Reflect.apply(handleUpgrade, this, args);
    observedRequests.add(request);
    const observed: OnConnected = (webSocket, upgrade, ...rest) => {
      const { headers } = upgrade;
      const connection = recorder.connect(() => ({ headers, address: upgrade.socket.remoteAddress }));
      if (connection !== undefined) observeConnection(webSocket, connection, recorder);
      return observeCall(connection?.connecting, () => onConnected(webSocket, upgrade, ...rest));
    };
    return Reflect.apply(handleUpgrade, this, [request, socket, head, observed]);
  };
}

/** Socket.IO's transport, which has marked the request: its messages are observed as what they mean, not as its packets. */
function isEngineIo(request: IncomingMessage): boolean {
  return Reflect.has(request, '_query');
}
