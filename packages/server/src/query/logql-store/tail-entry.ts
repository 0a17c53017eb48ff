import type { LogCandidate } from '../filter/match-log.ts';
import type { LogEntry } from '../logql/stream-labels.ts';
import { attributeText } from '../promql-store/attribute-text.ts';
import { BoundedMap } from '../promql-store/bounded-map.ts';
import { recordMetadata } from './log-rows.ts';
import { describeStream, detectedLevel, lokiName, type StoredStream } from './stored-stream.ts';

/** Streams whose labels are remembered while somebody watches. */
const MAX_STREAMS = 1000;

/** Makes entries of records that have just come, the same that the store will give later. */
export class TailEntries {
  readonly #streams = new BoundedMap<string, StoredStream>(MAX_STREAMS);

  entryOf({ record, bodyText }: LogCandidate): LogEntry {
    const stored = this.#streamOf(record);
    const { severityNumber } = record;
    const time = BigInt(record.timeUnixNano);
    const { body } = record;
    const line = 'stringValue' in body || Object.keys(body).length === 0 ? bodyText : attributeText(body);
    const attributes = record.attributes.map(({ key, value }) => [lokiName(key), attributeText(value)] as const);
    const { stream } = stored;
    if (stored.isPushed) {
      const implied = new Map([['detected_level', detectedLevel(severityNumber)]]);
      return { stream, time, line, metadata: attributes, implied };
    }
    const own = recordMetadata({
      observedTime: BigInt(record.observedTimeUnixNano),
      severityNumber,
      severityText: record.severityText,
      flags: 0,
      traceId: record.traceId,
      spanId: record.spanId,
      scopeName: record.scope.name,
      scopeVersion: record.scope.version,
      eventName: record.eventName,
    });
    return { stream, time, line, metadata: [...stored.metadata, ...own, ...attributes] };
  }

  #streamOf({ resourceAttributes, service }: LogCandidate['record']): StoredStream {
    const key = JSON.stringify(resourceAttributes);
    let stream = this.#streams.get(key);
    if (stream === undefined) {
      stream = describeStream(0n, service, resourceAttributes);
      this.#streams.set(key, stream);
    }
    return stream;
  }
}
