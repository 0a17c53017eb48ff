import type { ServerResponse } from 'node:http';
import type { LogTailEvent } from '@signalbox/api-contract';
import type { LogConditions } from '../query/logs/log-search-request.ts';
import type { LogTail } from '../query/logs/log-tail.ts';

/** Bytes that may wait for a client that reads slowly; records beyond are counted and dropped. */
const maxBufferedBytes = 1024 * 1024;

export const heartbeatMs = 15_000;

/** Heartbeats in a row that find the client's buffer full; after that it is taken to have stopped reading. */
const mostFullHeartbeats = 4;

/**
 * Streams matching records as server-sent events until the client goes away, stops reading, or `signal` aborts.
 * Throws before anything is written when the conditions can't be watched.
 */
export async function streamLogTail(
  tail: LogTail,
  conditions: LogConditions,
  response: ServerResponse,
  signal: AbortSignal,
): Promise<void> {
  let dropped = 0;
  const send = ({ event, data }: LogTailEvent): void => {
    response.write(`event: ${event}\ndata: ${JSON.stringify(data)}\n\n`);
  };
  const reportDropped = (): void => {
    if (dropped === 0 || response.writableLength > maxBufferedBytes) return;
    const count = dropped;
    dropped = 0;
    send({ event: 'dropped', data: { count } });
  };
  const stop = tail.listen(conditions, {
    onLog(record) {
      if (response.writableLength > maxBufferedBytes) {
        dropped++;
        return;
      }
      reportDropped();
      send({ event: 'log', data: record });
    },
    onDropped(count) {
      dropped += count;
      reportDropped();
    },
  });
  let fullHeartbeats = 0;
  const heartbeat = setInterval(() => {
    if (response.writableLength <= maxBufferedBytes) {
      fullHeartbeats = 0;
      response.write(':\n\n');
    } else if (++fullHeartbeats >= mostFullHeartbeats) {
      // Live tails are few: one that nobody reads must not keep others out.
      response.destroy();
    }
  }, heartbeatMs);
  response.on('drain', reportDropped);
  try {
    response.writeHead(200, { 'content-type': 'text/event-stream; charset=utf-8', 'x-accel-buffering': 'no' });
    response.write(': listening\n\n');
    await new Promise<void>((resolve) => {
      response.once('close', resolve);
      if (signal.aborted) resolve();
      signal.addEventListener('abort', () => resolve(), { once: true });
    });
  } finally {
    stop();
    clearInterval(heartbeat);
    response.off('drain', reportDropped);
    response.end();
  }
}
