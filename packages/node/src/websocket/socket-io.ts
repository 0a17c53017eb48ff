import type { IncomingMessage } from 'node:http';
import type { InstrumentationContext } from '../instrumentation.ts';
import type { AnyFunction } from '../modules/loaded-module.ts';
import { observeCall } from '../surfaces/operation.ts';
import type { Connection, WebSocketRecorder } from './websocket-recorder.ts';

/** The emitter that Socket.IO's namespaces and sockets are made from. */
interface EmitterModule {
  readonly StrictEventEmitter: { readonly prototype: { emitReserved: AnyFunction; emitUntyped: AnyFunction } };
}

/** A client's socket in a namespace. */
interface IoSocket {
  readonly handshake: { readonly headers: IncomingMessage['headers']; readonly address: string };
}

/**
 * Socket.IO tells a namespace of a connection, and a socket of its end, by `emitReserved`; what a client sends reaches the
 * socket's listeners by `emitUntyped`. The type of a message is the name of its event; sizes are not known here.
 */
export function hookSocketIo({ onModule }: InstrumentationContext, recorder: WebSocketRecorder): () => void {
  const connections = new WeakMap<object, Connection>();
  const connectionOf = (socket: unknown): Connection | undefined =>
    typeof socket === 'object' && socket !== null ? connections.get(socket) : undefined;
  const connect = (socket: unknown): Connection | undefined => {
    if (!isSocket(socket)) return undefined;
    const { headers, address } = socket.handshake;
    const connection = recorder.connect(() => ({ headers, address }));
    if (connection !== undefined) connections.set(socket, connection);
    return connection;
  };
  const beginReserved = recorder.protect(
    (self: unknown, event: unknown, argument: unknown) => {
      if (event === 'connection') return connect(argument)?.connecting;
      return event === 'disconnect' ? connectionOf(self)?.disconnected() : undefined;
    },
    () => undefined,
  );
  const beginMessage = recorder.protect(
    (self: unknown, event: unknown) => connectionOf(self)?.message(String(event), undefined),
    () => undefined,
  );
  return onModule<EmitterModule>(
    'socket.io',
    { versions: { from: '4', below: '5' }, files: ['dist/typed-events.js'] },
    ({ StrictEventEmitter: { prototype } }, module) => {
      module.wrap(
        prototype,
        'emitReserved',
        (original) =>
          function emitReserved(this: unknown, ...args: unknown[]) {
            return observeCall(beginReserved(this, args[0], args[1]), () => Reflect.apply(original, this, args));
          },
      );
      module.wrap(
        prototype,
        'emitUntyped',
        (original) =>
          function emitUntyped(this: unknown, ...args: unknown[]) {
            return observeCall(beginMessage(this, args[0]), () => Reflect.apply(original, this, args));
          },
      );
    },
  );
}

function isSocket(value: unknown): value is IoSocket {
  if (typeof value !== 'object' || value === null) return false;
  const handshake: unknown = Reflect.get(value, 'handshake');
  return typeof handshake === 'object' && handshake !== null && typeof Reflect.get(handshake, 'headers') === 'object';
}
