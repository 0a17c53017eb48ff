import { SignalboxError } from '../../pipeline/signalbox-error.ts';
import type { CountSelection, LogCount } from '../logql/log-source.ts';
import type { RangeWindows } from '../logql/range-windows.ts';
import { type QueryContext, selectColumns } from '../query-context.ts';
import { SqlParameters, type Statement } from '../sql-parameters.ts';
import type { TimeRange } from '../time-range.ts';
import { attributeKeys, hasAnyAttribute } from './attribute-keys.ts';
import { lineConditions } from './line-conditions.ts';
import { logCondition, withinStore } from './log-condition.ts';
import { LOG_STRING_BODY } from './log-rows.ts';
import { detectedLevel, type StoredStream } from './stored-stream.ts';
import type { SelectedStreams, StreamCatalog } from './stream-catalog.ts';

const MAX_ROWS = 500_000;

/** Metadata of single records besides their attributes and their level. */
const RECORD_METADATA: ReadonlySet<string> = new Set([
  'severity_text',
  'trace_id',
  'span_id',
  'scope_name',
  'scope_version',
  'event_name',
  'flags',
  'observed_timestamp',
]);
const LEVEL_LABELS: ReadonlySet<string> = new Set(['detected_level', 'severity_number']);

/**
 * Counts lines where they are: by stream, level and time. Undefined where that is not exact: a stage is more than a line filter, some
 * line is no text, or some record has an attribute of a label's name.
 */
export async function countLines(
  context: QueryContext,
  catalog: StreamCatalog,
  { matchers, stages, windows, labels, countsBytes }: CountSelection,
): Promise<readonly LogCount[] | undefined> {
  const width = bucketWidth(windows);
  const parameters = new SqlParameters();
  const lines = lineConditions(stages, parameters);
  if (width === undefined || !lines.isExact || labels.some((label) => RECORD_METADATA.has(label))) return undefined;
  const range = withinStore(windows);
  if (range.from >= range.to) return [];
  const selected = await catalog.select(context, matchers, range);
  if (selected.streams.length === 0) return [];
  const keys = labels
    .filter((label) => !selected.streams.every(({ stream }) => stream.values.has(label)))
    .map(attributeKeys);
  if (keys.includes(undefined)) return undefined;
  const statement = planCounts(
    {
      selected,
      range,
      width,
      conditions: lines.conditions,
      keys: keys.flatMap((names) => names ?? []),
      countsBytes,
      readsLines: countsBytes || lines.readsBody,
      byLevel: labels.some((label) => LEVEL_LABELS.has(label)),
    },
    windows,
    parameters,
  );
  try {
    const { rowCount, columns } = await selectColumns(context, statement, MAX_ROWS);
    const cells = columns as unknown as CountCells;
    const byId = new Map(selected.streams.map((stream) => [stream.id, stream]));
    const counts: LogCount[] = [];
    for (let row = 0; row < rowCount; row++) {
      const stored = byId.get(cells.resource_id[row] as bigint);
      if (!stored) continue;
      if ((cells.odd[row] as number) > 0) return undefined;
      const end = ((cells.bucket[row] as number) + 1) * Number(width) - windows.intervalNs;
      counts.push({
        entry: entryOf(stored, cells.level[row] as number),
        first: windows.first(end),
        last: windows.last(end),
        lines: cells.lines[row] as number,
        bytes: cells.bytes[row] as number,
      });
    }
    return counts;
  } catch (error) {
    // More rows than that are as well read one by one.
    if (error instanceof SignalboxError && error.code === 'too_large') return undefined;
    throw error;
  }
}

interface CountCells {
  readonly resource_id: BigUint64Array;
  readonly level: Uint8Array;
  readonly bucket: Uint32Array;
  readonly lines: Float64Array;
  readonly bytes: Float64Array;
  /** Records that have to be looked at. */
  readonly odd: Float64Array;
}

interface CountPlan {
  readonly selected: SelectedStreams;
  readonly range: TimeRange;
  readonly width: bigint;
  readonly conditions: readonly string[];
  /** Attributes that would be one of the labels. */
  readonly keys: readonly string[];
  readonly byLevel: boolean;
  readonly countsBytes: boolean;
  /** Lines that are not what is stored can't be counted here. */
  readonly readsLines: boolean;
}

export function planCounts(
  { selected, range, width, conditions, keys, byLevel, countsBytes, readsLines }: CountPlan,
  windows: RangeWindows,
  parameters: SqlParameters,
): Statement {
  const where = [logCondition(selected, range, parameters), ...conditions];
  const names = keys.length === 0 ? '' : parameters.strings(keys);
  const odd = [
    ...(readsLines ? [`body_type > ${LOG_STRING_BODY}`] : []),
    ...(keys.length === 0 ? [] : [hasAnyAttribute(names)]),
  ];
  return parameters.statement(
    `SELECT resource_id, ${byLevel ? 'severity_number' : 'toUInt8(0)'} AS level,
  toUInt32(intDiv(toUnixTimestamp64Nano(time) - ${parameters.int64(windows.fromNs)}, ${parameters.int64(width)})) AS bucket,
  toFloat64(count()) AS lines, ${countsBytes ? 'toFloat64(sum(length(body)))' : 'toFloat64(0)'} AS bytes, ${odd.length === 0 ? 'toFloat64(0)' : `toFloat64(countIf(${odd.join(' OR ')}))`} AS odd
FROM logs
WHERE ${where.join('\n  AND ')}
GROUP BY resource_id, level, bucket`,
  );
}

function entryOf(stored: StoredStream, severity: number): LogCount['entry'] {
  const { stream, isPushed } = stored;
  const level = ['detected_level', detectedLevel(severity)] as const;
  if (isPushed) return { stream, metadata: [], implied: new Map([level]) };
  const number = severity === 0 ? [] : [['severity_number', String(severity)] as const];
  return { stream, metadata: [...stored.metadata, ...number, level] };
}

const MAX_BUCKETS = 50_000n;

/** Nanoseconds of parts of the time that are in the same windows as a whole; undefined: they would be too many. */
function bucketWidth(windows: RangeWindows): bigint | undefined {
  const interval = BigInt(windows.intervalNs);
  if (windows.count <= 1) return interval;
  let [a, b] = [interval, BigInt(windows.stepNs)];
  while (b !== 0n) [a, b] = [b, a % b];
  return (windows.toNs - windows.fromNs) / a > MAX_BUCKETS ? undefined : a;
}
