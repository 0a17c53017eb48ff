import { logObjects, metricPointObjects, spanObjects } from '@signalbox/records';
import { decodeLogs, decodeMetrics, decodeTraces } from '../index.ts';

export type Signal = 'traces' | 'logs' | 'metrics';
export const SIGNALS: readonly Signal[] = ['traces', 'logs', 'metrics'];

/** Decodes a copy of `bytes`, and makes objects of the rows. */
export function decodeAny(signal: Signal, bytes: Uint8Array, encoding: 'protobuf' | 'json') {
  const copy = Uint8Array.from(bytes);
  switch (signal) {
    case 'traces': {
      const { batch, rejected } = decodeTraces(copy, encoding);
      return { rows: spanObjects(batch) as object[], rejected };
    }
    case 'logs': {
      const { batch, rejected } = decodeLogs(copy, encoding);
      return { rows: logObjects(batch) as object[], rejected };
    }
    case 'metrics': {
      const { batch, rejected } = decodeMetrics(copy, encoding);
      return { rows: metricPointObjects(batch) as object[], rejected };
    }
  }
}
