import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { configFile } from '../config/config-file.ts';
import { readSettingNodes, type SettingTable } from '../config/setting-node.ts';
import { SignalboxError } from '../pipeline/signalbox-error.ts';
import { TelemetryRegistry } from '../pipeline/telemetry-registry.ts';
import { testContext } from '../pipeline/testing/component-context.ts';
import type { RecordSink } from '../pipeline/testing/record-sink.ts';
import { spansOf } from '../pipeline/testing/record-sink.ts';
import { buildGraph } from './build-graph.ts';
import { readGraphConfig } from './graph-config.ts';
import { TestComponents } from './testing/test-components.ts';

function build(yaml: string) {
  const components = new TestComponents();
  const { collector } = configFile('c.yaml', readSettingNodes(yaml, 'c.yaml', {}));
  const config = readGraphConfig('c.yaml', collector as SettingTable, components.factories);
  const telemetry = new TelemetryRegistry();
  const dataFolder = join(mkdtempSync(join(tmpdir(), 'signalbox-graph-')), 'data');
  const graph = buildGraph(config, { telemetry, log: testContext().log, dataFolder });
  return {
    ...components,
    components,
    graph,
    telemetry,
    send: (receiver: string) => components.receivers.get(receiver)?.traces?.consume(spans('GET /', 'POST /')),
    sink: (id: string) => components.sinks.get(id) as RecordSink,
  };
}

function spans(...names: string[]) {
  const span = { traceId: '5b8efff798038103d269b633813fc60c', spanId: 'eee19b7ec3c1b174', kind: 2 };
  return spansOf({ resourceSpans: [{ scopeSpans: [{ spans: names.map((name) => ({ ...span, name })) }] }] });
}

test('components start from the destinations backwards, stop from the receivers forwards, and only those in use', async () => {
  const { graph, components } = build(`
receivers: {source: , source/unused: }
processors: {rename: , drop: }
exporters: {sink: , sink/unused: }
extensions: {guard: , guard/unused: }
service:
  extensions: [guard]
  pipelines:
    traces: {receivers: [source], processors: [rename, drop], exporters: [sink]}
`);
  await graph.start();
  await graph.shutdown(1_000);
  const order = [
    'extension guard',
    'exporter sink',
    'processor drop of traces',
    'processor rename of traces',
    'receiver source',
  ];
  expect(components.log).toEqual([
    ...order.map((name) => `start ${name}`),
    ...order.reverse().map((name) => `stop ${name}`),
  ]);
});

test('two pipelines of one receiver do not see what the other changes', async () => {
  const { send, sink, telemetry } = build(`
receivers: {source: }
processors: {rename: {kind: 4}}
exporters: {sink/a: , sink/b: }
service:
  pipelines:
    traces/a: {receivers: [source], processors: [rename], exporters: [sink/a]}
    traces/b: {receivers: [source], exporters: [sink/b]}
`);
  await send('source');
  expect(sink('sink/a').spans.map(({ kind }) => kind)).toEqual([4, 4]);
  expect(sink('sink/b').spans.map(({ kind }) => kind)).toEqual([2, 2]);
  expect(telemetry.sum('otelcol_receiver_accepted_spans')).toBe(2);
  expect(telemetry.sum('otelcol_exporter_sent_spans')).toBe(4);
  expect(telemetry.sum('otelcol_processor_incoming_items')).toBe(2);
});

test('one exporter at the end of two pipelines is one instance and starts once', async () => {
  const { graph, components, send, sink } = build(`
receivers: {source/a: , source/b: }
exporters: {sink: }
service:
  pipelines:
    traces/a: {receivers: [source/a], exporters: [sink]}
    traces/b: {receivers: [source/b], exporters: [sink]}
`);
  await graph.start();
  await send('source/a');
  await send('source/b');
  expect(sink('sink').spans).toHaveLength(4);
  expect(components.log.filter((line) => line === 'start exporter sink')).toHaveLength(1);
});

test('who wants records as received gets each once, before processors and after it was accepted', async () => {
  const { send, sink, components } = build(`
receivers: {source: }
processors: {rename: , drop: }
connectors: {forward: }
exporters: {sink: {watches: true}}
service:
  pipelines:
    traces/sampled: {receivers: [source], processors: [drop], exporters: [sink]}
    traces/changed: {receivers: [source], processors: [rename], exporters: [forward]}
    traces/after: {receivers: [forward], exporters: [sink]}
`);
  const witness = components.witnesses.get('sink') as RecordSink;
  await send('source');
  expect(sink('sink').spans.map(({ kind }) => kind)).toEqual([5, 5]);
  expect(witness.spans.map(({ kind, name }) => [kind, name])).toEqual([
    [2, 'GET /'],
    [2, 'POST /'],
  ]);
  sink('sink').respond = () => {
    throw new SignalboxError('unavailable', 'disk full');
  };
  await expect(send('source')).rejects.toThrow('disk full');
  expect(witness.spans).toHaveLength(2);
});

test('what a receiver is refused is counted as refused, what is partly rejected as rejected', async () => {
  const { send, sink, telemetry } = build(`
receivers: {source: }
exporters: {sink: }
service: {pipelines: {traces: {receivers: [source], exporters: [sink]}}}
`);
  sink('sink').respond = () => ({ rejected: 1, reason: 'too old' });
  await send('source');
  sink('sink').respond = () => {
    throw new SignalboxError('unavailable', 'disk full');
  };
  await expect(send('source')).rejects.toThrow('disk full');
  expect(telemetry.sum('otelcol_receiver_accepted_spans')).toBe(1);
  expect(telemetry.sum('signalbox_receiver_rejected_spans')).toBe(1);
  expect(telemetry.sum('otelcol_receiver_refused_spans')).toBe(2);
});

test('a component that can not start is named, and what had started is stopped', async () => {
  const { graph, components } = build(`
receivers: {source: }
exporters: {sink: }
service: {pipelines: {traces: {receivers: [source], exporters: [sink]}}}
`);
  const failing = components.factories.find(({ kind }) => kind === 'receiver');
  expect(failing).toBeDefined();
  components.log.push = (...lines: string[]) => {
    if (lines[0] === 'start receiver source') throw new SignalboxError('unavailable', 'Port 1 is taken');
    return Array.prototype.push.apply(components.log, lines);
  };
  await expect(graph.start()).rejects.toThrow('receiver source: Port 1 is taken');
  expect([...components.log]).toEqual(['start exporter sink', 'stop exporter sink']);
});
