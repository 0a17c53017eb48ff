import type { LogLine, LogqlAnswer, LogqlResult, SampledSeries } from '../../query/logql/engine.ts';
import { floatText } from '../prometheus/encode-json.ts';

/** The `data` of a query's answer. @param elapsedMs what it took */
export function resultData({ result, cost }: LogqlAnswer, elapsedMs: number, categorizesLabels: boolean): object {
  return {
    resultType: result.type,
    ...(categorizesLabels && result.type === 'streams' ? { encodingFlags: ['categorize-labels'] } : {}),
    result: resultJson(result, categorizesLabels),
    stats: statsJson(cost.bytes, cost.entries, result.type === 'streams' ? result.lines.length : 0, elapsedMs),
  };
}

function resultJson(result: LogqlResult, categorizesLabels: boolean): unknown {
  switch (result.type) {
    case 'streams':
      return streamsJson(result.lines, categorizesLabels);
    case 'matrix':
      return result.series.map(({ labels, points }) => ({
        metric: Object.fromEntries(labels.entries()),
        values: points.map(pointJson),
      }));
    case 'vector':
      return vectorJson(result.series);
    case 'scalar':
      return pointJson([result.time, result.value]);
  }
}

export function vectorJson(series: readonly SampledSeries[]): object[] {
  return series.flatMap(({ labels, points: [point] }) =>
    point ? [{ metric: Object.fromEntries(labels.entries()), value: pointJson(point) }] : [],
  );
}

function pointJson([time, value]: readonly [bigint, number]): [number, string] {
  return [secondsOf(time), floatText(value)];
}

/** Seconds since 1970, to the millisecond. */
export function secondsOf(timeNs: bigint): number {
  return Number(timeNs / 1_000_000n) / 1000;
}

/** Lines by their streams, in the order in which each stream was met. */
export function streamsJson(lines: readonly LogLine[], categorizesLabels: boolean): object[] {
  const streams = new Map<string, { stream: Record<string, string>; values: unknown[] }>();
  for (const line of lines) {
    const pairs = categorizesLabels ? line.stream : [...line.stream, ...line.metadata, ...line.parsed];
    const labels = Object.fromEntries([...pairs].sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)));
    const key = JSON.stringify(labels);
    let stream = streams.get(key);
    if (stream === undefined) {
      stream = { stream: labels, values: [] };
      streams.set(key, stream);
    }
    stream.values.push(entryJson(line, categorizesLabels));
  }
  return [...streams.values()];
}

function entryJson(line: LogLine, categorizesLabels: boolean): unknown[] {
  const { time, line: text, metadata, parsed, implied } = line;
  if (!categorizesLabels) return [String(time), text];
  const categories: Record<string, Record<string, string>> = {};
  // Whoever asks for labels apart shows them: the level, too, that was found in the line.
  const structured = { ...Object.fromEntries(implied ?? []), ...Object.fromEntries(metadata) };
  if (Object.keys(structured).length > 0) categories.structuredMetadata = structured;
  if (parsed.length > 0) categories.parsed = Object.fromEntries(parsed);
  return [String(time), text, categories];
}

/** Loki's statistics, as far as there is something to say. */
export function statsJson(bytes: number, lines: number, returned: number, elapsedMs: number): object {
  const seconds = Math.max(elapsedMs, 1) / 1000;
  const chunk = {
    headChunkBytes: 0,
    headChunkLines: 0,
    decompressedBytes: bytes,
    decompressedLines: lines,
    compressedBytes: 0,
    totalDuplicates: 0,
  };
  const store = { totalChunksRef: 0, totalChunksDownloaded: 0, chunksDownloadTime: 0, chunk };
  const none = { ...chunk, decompressedBytes: 0, decompressedLines: 0 };
  return {
    summary: {
      bytesProcessedPerSecond: Math.round(bytes / seconds),
      linesProcessedPerSecond: Math.round(lines / seconds),
      totalBytesProcessed: bytes,
      totalLinesProcessed: lines,
      execTime: seconds,
      queueTime: 0,
      subqueries: 0,
      totalEntriesReturned: returned,
      splits: 0,
      shards: 0,
      totalPostFilterLines: returned,
      totalStructuredMetadataBytesProcessed: 0,
    },
    querier: { store },
    ingester: {
      totalReached: 0,
      totalChunksMatched: 0,
      totalBatches: 0,
      totalLinesSent: 0,
      store: { ...store, chunk: none },
    },
  };
}
