import type { AnyFunction } from '../modules/loaded-module.ts';
import { observeCall } from '../surfaces/operation.ts';
import type { Broadcast } from './websocket-recorder.ts';
import { webSocketSurface } from './websocket-surface.ts';
import { observeUpgrades } from './ws.ts';

/** What a server of `ws` has, or another with the same method. */
export interface UpgradingServer {
  // biome-ignore lint/suspicious/noExplicitAny: of every such server, whatever its requests and sockets are.
  handleUpgrade(request: any, socket: any, head: any, onConnected: (...args: any[]) => void): void;
}

/**
 * Observes one WebSocket server whose library is not seen being loaded: bundled into the application, loaded before
 * telemetry, or another with the interface of `ws`. Answers the server itself.
 */
export function observeWebSocketServer<Server extends UpgradingServer>(server: Server): Server {
  const original: unknown = Reflect.get(server, 'handleUpgrade');
  if (typeof original === 'function')
    Reflect.set(
      server,
      'handleUpgrade',
      observeUpgrades(original as AnyFunction, () => webSocketSurface.recorder()),
    );
  return server;
}

/**
 * A message to everybody in a room: `send` runs in a span `chat.broadcast` with `chat.room`, `chat.sender`, `chat.recipients`
 * and `chat.duration_us`. Where `recipients` is not given, it is the number that `send` answers.
 */
export function observeBroadcast<Result>(broadcast: Broadcast, send: () => Result): Result {
  return observeCall(webSocketSurface.recorder()?.broadcast(broadcast), send);
}
