import type { LogBatch, MetricBatch, ScopeTable, SpanBatch } from '@signalbox/records';

/** At most so many bytes of JSON are made of a byte of an attribute: two bytes of an empty list entry become `{"key":"","value":{}},`. */
const MAX_JSON_GROWTH = 11;
/** What JSON puts around an attribute. */
const JSON_FRAME_BYTES = 64;

/**
 * Bytes of the texts that rows share (names of their service, scope and metric, the scope's attributes), once for each row:
 * that is how a store writes them. A service's name of a megabyte over a thousand empty records is a gigabyte.
 */
export function sharedTextBytes(batch: SpanBatch | LogBatch | MetricBatch): number {
  const ofScope = scopeTextBytes(batch);
  if (!('metrics' in batch)) {
    return sumOver(batch.scope, batch.rowCount, ofScope);
  }
  const { metrics, numberPoints, histogramPoints, exponentialHistogramPoints, summaryPoints } = batch;
  const ofMetric = new Float64Array(metrics.rowCount);
  for (let metric = 0; metric < metrics.rowCount; metric++) {
    ofMetric[metric] = ofScope[metrics.scope[metric] as number] as number;
    for (const { start, end } of [metrics.name, metrics.description, metrics.unit]) {
      ofMetric[metric] += (end[metric] as number) - (start[metric] as number);
    }
  }
  return (
    [numberPoints, histogramPoints, exponentialHistogramPoints].reduce(
      (bytes, points) => bytes + sumOver(points.metric, points.rowCount, ofMetric, points.exemplars.offsets),
      0,
    ) + sumOver(summaryPoints.metric, summaryPoints.rowCount, ofMetric)
  );
}

function scopeTextBytes({ resources, scopes }: SpanBatch | LogBatch | MetricBatch): Float64Array {
  const { serviceName } = resources;
  const bytes = new Float64Array(scopes.rowCount);
  for (let scope = 0; scope < scopes.rowCount; scope++) {
    const resource = scopes.resource[scope] as number;
    bytes[scope] =
      (serviceName.end[resource] as number) -
      (serviceName.start[resource] as number) +
      ((scopes.name.end[scope] as number) - (scopes.name.start[scope] as number)) +
      ((scopes.version.end[scope] as number) - (scopes.version.start[scope] as number)) +
      attributesTextBytes(scopes, scope);
  }
  return bytes;
}

function attributesTextBytes({ attributes }: ScopeTable, scope: number): number {
  const { keys, values, offsets } = attributes;
  const last = offsets[scope + 1] as number;
  let bytes = 0;
  for (let entry = offsets[scope] as number; entry < last; entry++) {
    const key = (keys.end[entry] as number) - (keys.start[entry] as number);
    const value = (values.end[entry] as number) - (values.start[entry] as number);
    bytes += JSON_FRAME_BYTES + MAX_JSON_GROWTH * (key + value);
  }
  return bytes;
}

/** `exemplarOffsets`: exemplars are rows of a store too, and name their metric again. */
function sumOver(
  groups: Uint32Array,
  rowCount: number,
  bytesOfGroup: Float64Array,
  exemplarOffsets?: Uint32Array,
): number {
  let sum = 0;
  for (let row = 0; row < rowCount; row++) {
    const exemplars =
      exemplarOffsets === undefined ? 0 : (exemplarOffsets[row + 1] as number) - (exemplarOffsets[row] as number);
    sum += (bytesOfGroup[groups[row] as number] as number) * (1 + exemplars);
  }
  return sum;
}
