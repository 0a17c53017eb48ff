import { compileMatcher, type LabelMatcher } from '@signalbox/query-language';
import { SignalboxError } from '../../pipeline/signalbox-error.ts';
import { attributeColumns } from '../../store/clickhouse/attributes.ts';
import { toKeyValues } from '../key-values.ts';
import { BoundedMap } from '../promql-store/bounded-map.ts';
import { TableMemory } from '../promql-store/table-memory.ts';
import { type QueryContext, select } from '../query-context.ts';
import { SqlParameters } from '../sql-parameters.ts';
import { partitionNanos, type TimeRange } from '../time-range.ts';
import { AttributeKeys } from './attribute-keys.ts';
import { describeStream, type StoredStream } from './stored-stream.ts';

export interface SelectedStreams {
  readonly streams: readonly StoredStream[];
  /** They are all that there are in the time. */
  readonly isAll: boolean;
}

/** Which streams and attributes there are. The attributes of a resource never change, so that its stream is described once and kept. */
export class StreamCatalog {
  readonly attributes = new AttributeKeys();
  readonly #maxStreams: number;
  readonly #streams: BoundedMap<string, StoredStream>;
  readonly #found: TableMemory<readonly StoredStream[]>;

  /** @param maxStreams streams that one query may look at, and that are kept */
  constructor(maxStreams: number) {
    this.#maxStreams = maxStreams;
    this.#streams = new BoundedMap(maxStreams);
    this.#found = new TableMemory('resources', { maxSize: maxStreams, sizeOf: ({ length }) => length });
  }

  /** Streams that some row of the 6 hours around the range refers to, and that fulfil all matchers. */
  async select(context: QueryContext, matchers: readonly LabelMatcher[], range: TimeRange): Promise<SelectedStreams> {
    const all = await this.#all(context, range);
    const tests = matchers.map((matcher) => ({ name: matcher.name, matches: compileMatcher(matcher) }));
    const streams = all.filter(({ stream }) => tests.every(({ name, matches }) => matches(stream.get(name))));
    return { streams, isAll: streams.length === all.length };
  }

  async #all(context: QueryContext, range: TimeRange): Promise<readonly StoredStream[]> {
    if (range.to <= 0n || range.to <= range.from) return [];
    const first = (range.from < 0n ? 0n : range.from) / partitionNanos;
    const last = (range.to - 1n) / partitionNanos;
    return await this.#found.get(context.connection, `${first} ${last}`, () => this.#read(context, first, last));
  }

  async #read(context: QueryContext, first: bigint, last: bigint): Promise<readonly StoredStream[]> {
    const parameters = new SqlParameters();
    const from = parameters.secondTime((first * partitionNanos) / 1_000_000_000n);
    const to = parameters.secondTime(((last + 1n) * partitionNanos) / 1_000_000_000n);
    const statement = parameters.statement(
      `SELECT resource_id, service, ${attributeColumns('resource').join(', ')}
FROM resources
WHERE time >= ${from} AND time < ${to}
LIMIT 1 BY resource_id`,
    );
    const rows = await this.#rows(context, statement);
    return rows.map(([id, service, ...cells]) => {
      let stream = this.#streams.get(id);
      if (stream === undefined) {
        stream = describeStream(BigInt(id), service, toKeyValues(cells));
        this.#streams.set(id, stream);
      }
      return stream;
    });
  }

  async #rows(context: QueryContext, statement: ReturnType<SqlParameters['statement']>) {
    try {
      return await select<[string, string, ...unknown[]]>(context, statement, this.#maxStreams);
    } catch (error) {
      if (!(error instanceof SignalboxError) || error.code !== 'too_large') throw error;
      throw new SignalboxError('too_large', `The time has more than ${this.#maxStreams} streams`, {
        cause: error,
        hint: 'Ask for less time.',
      });
    }
  }
}
