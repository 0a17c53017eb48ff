import { expect, test } from 'vitest';
import { functionSurface } from '../functions/function-surface.ts';
import { traced } from '../functions/traced.ts';
import { record } from '../testing/record.ts';
import { eventInstrumentation, recordEvent } from './record-event.ts';

const surfaces = [eventInstrumentation, functionSurface.instrumentation];

test('an event is in the trace, in the logs and in a counter', async () => {
  const publish = traced(() => recordEvent('Feed cached', { 'feed.type': 'unified', 'feed.size': 20 }), {
    name: 'publish',
  });
  const sink = await record(surfaces, () => {
    publish();
    recordEvent('Audio transcoded');
  });
  const span = sink.span('publish');
  const attributes = { 'feed.type': 'unified', 'feed.size': 20 };
  expect(span.events).toEqual([{ name: 'Feed cached', attributes }]);
  expect(sink.logs).toHaveLength(2);
  expect(sink.logs[0]).toMatchObject({
    body: 'Feed cached',
    eventName: 'Feed cached',
    severityText: 'INFO',
    attributes,
    traceId: span.traceId,
    spanId: span.spanId,
  });
  expect(sink.logs[1]).toMatchObject({ body: 'Audio transcoded', traceId: '' });
  expect(sink.point('business_events_total', { event: 'Feed cached' })).toMatchObject({
    value: 1,
    attributes: { event: 'Feed cached' },
  });
  expect(sink.point('business_events_total', { event: 'Audio transcoded' }).value).toBe(1);
});

test('without telemetry nothing happens', () => {
  expect(recordEvent('Feed cached')).toBeUndefined();
});
