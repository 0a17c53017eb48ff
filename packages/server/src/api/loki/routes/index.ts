import type { StreamCatalog } from '../../../query/logql-store/stream-catalog.ts';
import { type StreamVolume, streamVolumes } from '../../../query/logql-store/stream-volumes.ts';
import { Labels } from '../../../query/promql/labels.ts';
import { secondsOf, statsJson } from '../encode-result.ts';
import { LokiError } from '../loki-error.ts';
import type { LokiParameters } from '../loki-parameters.ts';
import { type LokiRoute, route, success } from '../loki-route.ts';

const defaultVolumes = 100;
const maxParts = 11_000n;
const millisecondNs = 1_000_000n;

/** How much there is: of a selection, and of each of its streams. */
export function indexRoutes(catalog: StreamCatalog): readonly LokiRoute[] {
  return [
    ...route('index/stats', async ({ parameters, context }) => {
      const matchers = parameters.matchers('query');
      const { startNs, endNs } = parameters.range();
      const volumes = await streamVolumes(context, catalog, matchers, { from: startNs, to: endNs + 1n });
      const streams = new Set(volumes.map(({ stream }) => stream.labels.key)).size;
      // What Loki calls a chunk does not exist here: a stream is one.
      return { json: { streams, chunks: streams, entries: total(volumes, 'entries'), bytes: total(volumes, 'bytes') } };
    }),
    ...route('index/volume', async ({ parameters, context }) => {
      const { startNs, endNs } = parameters.range();
      const range = { from: startNs, to: endNs + 1n };
      const volumes = await streamVolumes(context, catalog, parameters.matchers('query'), range);
      const result = largest(volumes, parameters).map(({ name, bytes }) => ({
        metric: name,
        value: [secondsOf(endNs), String(total(bytes, 'bytes'))],
      }));
      return success({ resultType: 'vector', result, stats: statsJson(0, 0, 0, 0) });
    }),
    ...route('index/volume_range', async ({ parameters, context }) => {
      const range = parameters.range();
      const stepNs = parameters.step(range);
      const { startNs, endNs } = range;
      const ownRange = { from: startNs, to: endNs + 1n };
      if ((endNs - startNs) / stepNs > maxParts) {
        throw new LokiError(
          400,
          `exceeded maximum resolution of ${maxParts.toLocaleString('en')} points per time series. Try increasing the value of the step parameter`,
        );
      }
      // Steps lie on multiples of their length, and have the time of their last millisecond.
      const firstNs = startNs - (startNs % stepNs);
      const volumes = await streamVolumes(context, catalog, parameters.matchers('query'), ownRange, {
        partNs: stepNs,
        originNs: firstNs,
      });
      const result = largest(volumes, parameters).map(({ name, bytes }) => {
        const parts = new Map<number, number>();
        for (const volume of bytes) parts.set(volume.part, (parts.get(volume.part) ?? 0) + volume.bytes);
        return {
          metric: name,
          values: [...parts].map(([part, sum]) => {
            const lastNs = firstNs + stepNs * BigInt(part + 1) - millisecondNs;
            return [secondsOf(lastNs < endNs ? lastNs : endNs), String(sum)];
          }),
        };
      });
      return success({ resultType: 'matrix', result, stats: statsJson(0, 0, 0, 0) });
    }),
  ];
}

/**
 * Volumes put together by the labels that are asked for, which all of them must have, or by those that the query names; the largest
 * first.
 */
function largest(volumes: readonly StreamVolume[], parameters: LokiParameters) {
  const targets = parameters
    .text('targetLabels')
    .split(',')
    .filter((name) => name !== '');
  const matched = parameters.matchers('query').map(({ name }) => name);
  const aggregateBy = parameters.text('aggregateBy');
  if (!['', 'series', 'labels'].includes(aggregateBy)) throw new LokiError(400, 'invalid aggregation option');
  const byLabels = aggregateBy === 'labels';
  const groups = new Map<string, { name: Record<string, string>; bytes: StreamVolume[] }>();
  const add = (name: Record<string, string>, volume: StreamVolume) => {
    const key = JSON.stringify(name);
    const group = groups.get(key) ?? { name, bytes: [] };
    group.bytes.push(volume);
    groups.set(key, group);
  };
  for (const volume of volumes) {
    const { stream } = volume;
    const all = [...stream.values, ...stream.implied];
    if (targets.some((name) => stream.get(name) === '')) continue;
    if (byLabels) {
      for (const [name] of all) if (targets.length === 0 || targets.includes(name)) add({ [name]: '' }, volume);
      continue;
    }
    const wanted = targets.length > 0 ? targets : matched.length > 0 ? matched : [...stream.values.keys()];
    const labels = Labels.from(all.filter(([name]) => wanted.includes(name)));
    add(Object.fromEntries(labels.entries()), volume);
  }
  const limit = parameters.text('limit') === '0' ? defaultVolumes : parameters.count('limit', defaultVolumes);
  return [...groups]
    .map(([key, { name, bytes }]) => ({ key, name, bytes, sum: total(bytes, 'bytes') }))
    .sort((a, b) => b.sum - a.sum || (a.key < b.key ? -1 : 1))
    .slice(0, limit);
}

function total(volumes: readonly StreamVolume[], of: 'entries' | 'bytes'): number {
  return volumes.reduce((sum, volume) => sum + volume[of], 0);
}
