import type { LabelMatcher } from '@signalbox/query-language';
import type { StreamLabels } from '../logql/stream-labels.ts';
import { type QueryContext, selectColumns } from '../query-context.ts';
import { SqlParameters } from '../sql-parameters.ts';
import type { TimeRange } from '../time-range.ts';
import { logCondition } from './log-condition.ts';
import type { StreamCatalog } from './stream-catalog.ts';

/** What a stream holds, in one part of a time. */
export interface StreamVolume {
  readonly stream: StreamLabels;
  /** Which part, from 0. */
  readonly part: number;
  readonly entries: number;
  /** Of the lines. */
  readonly bytes: number;
}

const MAX_ROWS = 500_000;

/** Entries and bytes of streams. @param parts that the time is looked at in, from `originNs` on; undefined: it is one */
export async function streamVolumes(
  context: QueryContext,
  catalog: StreamCatalog,
  matchers: readonly LabelMatcher[],
  range: TimeRange,
  parts?: { readonly partNs: bigint; readonly originNs: bigint },
): Promise<StreamVolume[]> {
  const selected = await catalog.select(context, matchers, range);
  if (selected.streams.length === 0) return [];
  const parameters = new SqlParameters();
  const part =
    parts === undefined
      ? 'toUInt32(0)'
      : `toUInt32(intDiv(toUnixTimestamp64Nano(time) - ${parameters.int64(parts.originNs)}, ${parameters.int64(parts.partNs)}))`;
  const { rowCount, columns } = await selectColumns(
    context,
    parameters.statement(
      `SELECT resource_id, ${part} AS part, toFloat64(count()) AS entries, toFloat64(sum(length(body))) AS bytes
FROM logs
WHERE ${logCondition(selected, range, parameters)}
GROUP BY resource_id, part
ORDER BY part, resource_id`,
    ),
    MAX_ROWS,
  );
  const byId = new Map(selected.streams.map(({ id, stream }) => [id, stream]));
  const ids = columns.resource_id as BigUint64Array;
  const volumes: StreamVolume[] = [];
  for (let row = 0; row < rowCount; row++) {
    const stream = byId.get(ids[row] as bigint);
    if (!stream) continue;
    volumes.push({
      stream,
      part: (columns.part as Uint32Array)[row] as number,
      entries: (columns.entries as Float64Array)[row] as number,
      bytes: (columns.bytes as Float64Array)[row] as number,
    });
  }
  return volumes;
}
