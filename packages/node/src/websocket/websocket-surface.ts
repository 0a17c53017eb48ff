import { defineSurface } from '../surfaces/surface.ts';
import { hookSocketIo } from './socket-io.ts';
import { WebSocketRecorder } from './websocket-recorder.ts';
import { hookWs } from './ws.ts';

/** WebSocket servers: `ws` 8, Socket.IO 4, and what the application hands to `observeWebSocketServer`. */
export const webSocketSurface = defineSurface(
  'websocket',
  (instrumentation) => new WebSocketRecorder(instrumentation),
  (instrumentation, recorder) => {
    const undo = [hookWs(instrumentation, recorder), hookSocketIo(instrumentation, recorder)];
    return () => {
      for (const step of undo) step();
    };
  },
);
