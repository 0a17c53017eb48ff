import { expect, it } from 'vitest';
import { settingsOf, testContext } from '../../pipeline/testing/component-context.ts';
import { RecordSink } from '../../pipeline/testing/record-sink.ts';
import { gaugesOf, logsOf, START_MS, spansOf } from '../testing/requests.ts';
import { countFactory } from './count-factory.ts';

function made(yaml = '{}') {
  const settings = settingsOf(yaml);
  const blueprint = countFactory.configure(settings);
  settings.finish();
  const sink = new RecordSink();
  const { consumers } = blueprint.create(testContext({ now: () => START_MS }), sink.consumers);
  const points = () =>
    sink.points.map((point) => [
      point.metric.name,
      'value' in point ? point.value : null,
      Object.fromEntries(point.attributes),
      point.resource.service,
    ]);
  return { sink, points, consumers: consumers as Required<typeof consumers> };
}

// Names and rules as upstream's README has them.
it('counts everything by default', async () => {
  const { consumers, points, sink } = made();
  const auth = { 'service.name': 'auth' };
  await consumers.traces.consume(spansOf({ events: [{ name: 'a' }, { name: 'b' }] }, { resource: auth }));
  await consumers.metrics.consume(gaugesOf({ name: 'cpu', points: [{ value: 1 }, { value: 2 }] }));
  await consumers.logs.consume(logsOf({}));
  expect(points()).toEqual([
    ['trace.span.count', 1n, {}, 'shop'],
    ['trace.span.event.count', 2n, {}, 'shop'],
    ['trace.span.count', 1n, {}, 'auth'],
    ['metric.count', 1n, {}, 'shop'],
    ['metric.datapoint.count', 2n, {}, 'shop'],
    ['log.record.count', 1n, {}, 'shop'],
  ]);
  expect(sink.points[0]).toMatchObject({
    metric: { type: 2, temporality: 1, monotonic: true, description: 'The number of spans observed.' },
    time: BigInt(START_MS) * 1_000_000n,
  });
});

it('counts what conditions choose, by attributes', async () => {
  const { consumers, points } = made(`logs:
  my.errors:
    description: Errors
    conditions: ['severity_number >= SEVERITY_NUMBER_ERROR']
    attributes:
      - {key: env}
      - {key: tier, default_value: free}
`);
  await consumers.logs.consume(
    logsOf(
      { severityNumber: 17, attributes: { env: 'prod' } },
      { severityNumber: 18, attributes: { env: 'prod' } },
      { severityNumber: 17, attributes: { env: 'test', tier: 'paid' } },
      { severityNumber: 17 },
      { severityNumber: 9, attributes: { env: 'prod' } },
    ),
  );
  expect(points().map(([name, value, attributes]) => [name, value, attributes])).toEqual([
    ['my.errors', 1n, { env: 'prod', tier: 'free' }],
    ['my.errors', 1n, { env: 'prod', tier: 'free' }],
    ['my.errors', 1n, { env: 'test', tier: 'paid' }],
  ]);
});

it('refuses conditions that it cannot read, with their place', () => {
  expect(() => made("spans:\n  errors:\n    conditions: ['stat == 1']")).toThrow(
    'test.yaml:3: component::spans::errors::conditions: span has no field stat',
  );
});
