import { decodeTraces } from '@signalbox/otlp';
import { concatBatches, copyBatch, type SpanBatch } from '@signalbox/records';
import { readSettingNodes } from '../../packages/server/src/config/setting-node.ts';
import { SettingsMap } from '../../packages/server/src/config/settings-map.ts';
import type { ComponentContext } from '../../packages/server/src/pipeline/component-context.ts';
import type { ProcessorFactory } from '../../packages/server/src/pipeline/component-factory.ts';
import { attributesFactory } from '../../packages/server/src/process/attributes/attributes-factory.ts';
import { filterFactory } from '../../packages/server/src/process/filter/filter-factory.ts';
import { redactionFactory } from '../../packages/server/src/process/redaction/redaction-factory.ts';
import { probabilisticSamplerFactory } from '../../packages/server/src/process/sampling/probabilistic-sampler-factory.ts';
import { transformFactory } from '../../packages/server/src/process/transform/transform-factory.ts';
import { type Row, report } from './report.ts';
import { dense, encodedSpans, nowNs } from './workload.ts';

const rounds = 9;

type Work = (batch: SpanBatch) => unknown;

/** What processors take beside decoding: each in turn over the same requests, round after round, medians. */
export function processors(millions: number): void {
  const requests = [...encodedSpans(millions * 1_000_000, nowNs(), dense)].map(({ body }) => Uint8Array.from(body));
  const works: Record<string, Work> = {
    'decoding alone: the batch passes': () => undefined,
    'a copy of the columns, for a second pipeline': copyBatch,
    'joining with another batch': (batch) => concatBatches([batch, batch]),
    'attributes: upsert one key': worker(attributesFactory, 'actions: [{key: env, value: production, action: upsert}]'),
    'filter: a condition on an attribute, nothing dropped': worker(
      filterFactory,
      `traces: {span: ['attributes["url.path"] == "/nowhere"']}`,
    ),
    'filter: half dropped': worker(
      filterFactory,
      'traces: {span: ["kind == SPAN_KIND_SERVER or kind == SPAN_KIND_INTERNAL"]}',
    ),
    'filter: a pattern on the name': worker(filterFactory, `traces: {span: ['IsMatch(name, "^GET /health")']}`),
    'transform: set one attribute where a condition holds': worker(
      transformFactory,
      `trace_statements: ['set(span.attributes["slow"], true) where span.end_time_unix_nano - span.start_time_unix_nano > 1000000']`,
    ),
    'probabilistic_sampler: a tenth kept': worker(probabilisticSamplerFactory, 'sampling_percentage: 10'),
    'redaction: one pattern on all values': worker(
      redactionFactory,
      `{allow_all_keys: true, blocked_values: ['4[0-9]{15}']}`,
    ),
  };
  const spans = requests.reduce((sum, body) => sum + decodeTraces(Uint8Array.from(body), 'protobuf').batch.rowCount, 0);
  const seconds = new Map<string, number[]>(Object.keys(works).map((what) => [what, []]));
  for (let round = 0; round <= rounds; round++) {
    for (const [what, work] of Object.entries(works)) {
      const used = cpuSeconds(requests, work);
      // The first round warms up.
      if (round > 0) seconds.get(what)?.push((used / spans) * 1e6);
    }
  }
  const [first = []] = seconds.values();
  const decoding = median(first);
  const rows = [...seconds].map(([what, times]): Row => {
    const total = median(times);
    return { what, 'CPU-s per million spans': total, 'beside decoding': total - decoding };
  });
  report('process', rows);
}

function cpuSeconds(requests: readonly Uint8Array[], work: Work): number {
  const before = process.cpuUsage();
  for (const body of requests) {
    work(decodeTraces(Uint8Array.from(body), 'protobuf').batch);
  }
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1e6;
}

/** The processor of these settings, before a stage that does nothing. */
function worker(factory: ProcessorFactory, yaml: string): Work {
  const settings = new SettingsMap('bench.yaml', factory.type, readSettingNodes(yaml, 'bench.yaml', {}));
  const nothing = () => undefined;
  const context = { now: Date.now, log: { debug: nothing, info: nothing, warn: nothing, error: nothing } };
  const { consumers } = factory.configure(settings).create(context as unknown as ComponentContext, {
    traces: { consume: async () => ({ rejected: 0, reason: '' }) },
  });
  return (batch) => consumers.traces?.consume(batch);
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}
