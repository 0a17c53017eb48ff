import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { StatusResponse, TraceResponse } from '@signalbox/api-contract';
import { afterEach, expect, test } from 'vitest';
import { hex, post, tracesRequest } from './otlp-json.ts';
import { eventually, SignalboxProcess } from './signalbox-process.ts';

/** What a team plans as its third phase: all errors, a tenth of the rest, four fifths less on disk; metrics of everything. */
const CONFIG = `
receivers:
  otlp: {protocols: {grpc: {endpoint: 127.0.0.1:0}, http: {endpoint: 127.0.0.1:0}}}
processors:
  tail_sampling:
    decision_wait: 3s
    policies:
      - {name: errors, type: status_code, status_code: {status_codes: [ERROR]}}
      - {name: tenth, type: probabilistic, probabilistic: {sampling_percentage: 10}}
connectors:
  spanmetrics: {metrics_flush_interval: 500ms}
exporters:
  clickhouse:
service:
  pipelines:
    traces/counted: {receivers: [otlp], exporters: [spanmetrics]}
    traces: {receivers: [otlp], processors: [tail_sampling], exporters: [clickhouse]}
    metrics: {receivers: [otlp, spanmetrics], exporters: [clickhouse]}
`;
const TRACES = 600;
const SPANS = 4;

let signalbox: SignalboxProcess | undefined;
afterEach(async () => {
  await signalbox?.dispose();
  signalbox = undefined;
});

test('every error is kept and four fifths of the rows are not, over kill -9', async () => {
  signalbox = new SignalboxProcess();
  const config = join(signalbox.data, 'config.yaml');
  writeFileSync(config, CONFIG);
  await signalbox.start('--config', config);
  const failed: string[] = [];
  const send = async (count: number) => {
    for (let i = 0; i < count; i++) {
      const traceId = hex(16);
      const isFailed = i % 12 === 5;
      const request = tracesRequest({ service: 'sidechain', traceId, spans: SPANS });
      const last = request.resourceSpans[0]?.scopeSpans[0]?.spans.at(-1);
      const { status } = await post(signalbox?.otlpHttp ?? '', 'traces', {
        ...request,
        resourceSpans: [
          ...request.resourceSpans,
          // The error is in one span of the trace.
          ...(isFailed ? [spanWithError(traceId, last?.spanId ?? '')] : []),
        ],
      });
      expect(status).toBe(200);
      if (isFailed) failed.push(traceId);
    }
  };
  await send(TRACES / 2);
  await signalbox.child.stop('SIGKILL');
  await signalbox.start('--config', config);
  await send(TRACES / 2);

  const spansOf = async (traceId: string) => {
    const response = await fetch(new URL(`/api/signalbox/traces/${traceId}`, signalbox?.page));
    return response.ok ? ((await response.json()) as TraceResponse).spans.length : 0;
  };
  for (const traceId of failed) {
    const spans = await eventually(async () => (await spansOf(traceId)) || undefined, 30_000);
    expect(spans, traceId).toBe(SPANS + 1);
  }
  const { store } = await signalbox.api<StatusResponse>('status');
  const rows = store?.signals.spans.rows ?? 0;
  const ofFailed = failed.length * (SPANS + 1);
  const share = rows / (TRACES * SPANS);
  expect(rows).toBeGreaterThan(ofFailed);
  expect(share).toBeGreaterThan(0.11);
  expect(share).toBeLessThan(0.29);
  // The metrics know every call of this life, sampled or not.
  const { total } = await eventually(async () => {
    const answer = await signalbox?.api<{ total: number }>('metrics/query', { name: 'traces.span.metrics.calls' });
    return answer !== undefined && answer.total > 0 ? answer : undefined;
  });
  expect(total).toBeGreaterThan(0);
});

function spanWithError(traceId: string, parentSpanId: string) {
  const [group] = tracesRequest({ service: 'sidechain', traceId }).resourceSpans;
  const span = { ...group?.scopeSpans[0]?.spans[0], parentSpanId, kind: 3, name: 'SELECT', status: { code: 2 } };
  return { ...group, scopeSpans: [{ scope: { name: 'e2e' }, spans: [span] }] };
}
