import { expect, test } from 'vitest';
import { record } from '../testing/record.ts';
import { changeSurface } from './change-surface.ts';
import { observeChanges } from './observe-changes.ts';

const surfaces = [changeSurface.instrumentation];

test('changes, what the database keeps and errors are told by slot', async () => {
  const changes = observeChanges({ slot: 'orders' });
  const error = Object.assign(new Error('slot is gone'), { code: '42704' });
  changes.retained(5);
  const sink = await record(surfaces, () => {
    changes.received();
    changes.received(3);
    changes.retained(4096);
    changes.retained(1024);
    changes.retained(Number.NaN);
    expect(changes.fail(error)).toBe(error);
  });
  const slot = { slot: 'orders' };
  expect(sink.point('cdc_changes_total')).toMatchObject({ type: 'sum', monotonic: true, value: 4, attributes: slot });
  expect(sink.point('cdc_retained_wal_bytes')).toMatchObject({
    type: 'sum',
    monotonic: false,
    unit: 'By',
    value: 1024,
    attributes: slot,
  });
  expect(sink.point('cdc_errors_total')).toMatchObject({ monotonic: true, value: 1, attributes: slot });
  expect(sink.span('cdc.error')).toMatchObject({
    status: { code: 2, message: 'slot is gone' },
    attributes: { 'cdc.slot': 'orders', 'error.type': '42704' },
  });
});

test('a later start of telemetry begins from nothing', async () => {
  const changes = observeChanges({ slot: 'orders' });
  await record(surfaces, () => changes.retained(700));
  const sink = await record(surfaces, () => changes.retained(300));
  expect(sink.point('cdc_retained_wal_bytes').value).toBe(300);
});
