import type { EventEmitter } from 'node:events';
import { observeCall } from '../surfaces/operation.ts';
import type { Connection, WebSocketRecorder } from './websocket-recorder.ts';

/** `message` and `close` of an open socket, as `ws` emits them, in spans of theirs. */
export function observeConnection(
  socket: EventEmitter,
  connection: Connection,
  { protect }: Pick<WebSocketRecorder, 'protect'>,
): void {
  const emit = socket.emit;
  const begin = protect(
    (event: string | symbol, data: unknown, isBinary: unknown) => {
      if (event === 'message') return connection.message(isBinary === true ? 'binary' : 'text', sizeOf(data));
      return event === 'close' ? connection.disconnected() : undefined;
    },
    () => undefined,
  );
  socket.emit = (event: string | symbol, ...args: unknown[]): boolean =>
    observeCall(begin(event, args[0], args[1]), () => emit.call(socket, event, ...args));
}

/** A message is one buffer, or the list of its fragments. */
function sizeOf(data: unknown): number | undefined {
  if (Array.isArray(data)) return data.reduce((sum: number, part) => sum + (sizeOf(part) ?? 0), 0);
  if (data instanceof Blob) return data.size;
  return data instanceof ArrayBuffer || ArrayBuffer.isView(data) ? data.byteLength : undefined;
}
