import { SignalboxError } from '../../pipeline/signalbox-error.ts';
import { TableMemory } from '../promql-store/table-memory.ts';
import { type QueryContext, select } from '../query-context.ts';
import { SqlParameters } from '../sql-parameters.ts';
import { nanosPerSecond, partitionNanos, type TimeRange } from '../time-range.ts';
import { lokiName } from './stored-stream.ts';

/** Keys beyond which a query does not look at each of them. */
const MAX_KEYS = 10_000;
const MAX_REMEMBERED = 100_000;

/** Which attributes log records have. */
export class AttributeKeys {
  readonly #found = new TableMemory<readonly string[] | undefined>('log_attribute_keys', {
    maxSize: MAX_REMEMBERED,
    sizeOf: (keys) => keys?.length ?? 1,
  });

  /**
   * The attributes of records in a time (of the 6 hours around it) that would be one of the labels: on no other record is one of those
   * names. Undefined: there are too many attributes to say.
   */
  async named(context: QueryContext, labels: readonly string[], range: TimeRange): Promise<string[] | undefined> {
    if (labels.length === 0) return [];
    const from = range.from < 0n ? 0n : range.from / partitionNanos;
    const to = (range.to - 1n) / partitionNanos;
    if (to < from) return [];
    const keys = await this.#found.get(context.connection, `${from} ${to}`, () => this.#read(context, from, to));
    return keys?.filter((key) => labels.includes(lokiName(key)));
  }

  async #read(context: QueryContext, from: bigint, to: bigint): Promise<readonly string[] | undefined> {
    const parameters = new SqlParameters();
    const start = parameters.secondTime((from * partitionNanos) / nanosPerSecond);
    const end = parameters.secondTime(((to + 1n) * partitionNanos) / nanosPerSecond);
    const statement = parameters.statement(
      `SELECT DISTINCT key FROM log_attribute_keys WHERE time >= ${start} AND time < ${end}`,
    );
    try {
      return (await select<[string]>(context, statement, MAX_KEYS)).map(([key]) => key);
    } catch (error) {
      if (error instanceof SignalboxError && error.code === 'too_large') return undefined;
      throw error;
    }
  }
}
