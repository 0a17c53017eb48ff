import type { KeyValue, LogRecord } from '@signalbox/api-contract';

/** Records of one process repeat its resource: a hundred thousand of them hold it once. `known` keeps what was seen before. */
export function shareResources(logs: LogRecord[], known: Map<string, KeyValue[]>): LogRecord[] {
  for (const log of logs) {
    const key = JSON.stringify(log.resourceAttributes);
    const same = known.get(key);
    if (same) log.resourceAttributes = same;
    else if (known.size < maxKnown) known.set(key, log.resourceAttributes);
  }
  return logs;
}

const maxKnown = 1000;
