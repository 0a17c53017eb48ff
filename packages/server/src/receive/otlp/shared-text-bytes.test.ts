import { decodeLogs, decodeMetrics, decodeTraces } from '@signalbox/otlp';
import { expect, test } from 'vitest';
import type { Consumer } from '../../pipeline/consumer.ts';
import { SignalboxError } from '../../pipeline/signalbox-error.ts';
import { jsonRequest, SIGNALS } from '../testing/otlp-requests.ts';
import { ExportService } from './export-service.ts';
import { InFlightBytes } from './in-flight-bytes.ts';
import { sharedTextBytes } from './shared-text-bytes.ts';

const MIB = 1024 * 1024;

/** A valid request of 1,000 rows in which `from` is replaced by a long text. */
function body(signal: (typeof SIGNALS)[number]['signal'], from: string, to: string): Uint8Array<ArrayBuffer> {
  const text = JSON.stringify(jsonRequest(signal, 1_000));
  expect(text).toContain(from);
  return Uint8Array.from(Buffer.from(text.replaceAll(from, to)));
}

test('counts what rows share once for each row', () => {
  // "shop", "test" and "1"; a metric's "temperature" and "Cel".
  const traces = decodeTraces(body('traces', 'shop', 'shop'), 'json').batch;
  const logs = decodeLogs(body('logs', 'shop', 'shop'), 'json').batch;
  const metrics = decodeMetrics(body('metrics', 'shop', 'shop'), 'json').batch;
  expect([traces, logs, metrics].map(sharedTextBytes)).toEqual([9_000, 9_000, 23_000]);
});

test('counts what exemplars share with their metric', () => {
  const exemplars = `"asDouble":1,"exemplars":[${Array.from({ length: 10 }, () => '{"asDouble":1}')}]`;
  const { batch } = decodeMetrics(body('metrics', '"asDouble":7,', `${exemplars},`), 'json');
  expect(sharedTextBytes(batch)).toBe(23_000 + 10 * 23);
});

test('counts at least the JSON of the attributes of a scope', () => {
  const attribute = `{"key":"k","value":{"stringValue":"${'\\u0001'.repeat(100)}"}}`;
  const { batch } = decodeLogs(body('logs', '"version":"1"', `"attributes":[${attribute}]`), 'json');
  expect(sharedTextBytes(batch)).toBeGreaterThan(1_000 * attribute.length);
});

test.each(
  SIGNALS.flatMap(({ signal }) => [
    { signal, what: 'service', text: '"shop"' },
    { signal, what: 'scope', text: '"test"' },
    ...(signal === 'metrics' ? [{ signal, what: 'unit of a metric', text: '"Cel"' }] : []),
  ]),
)('refuses $signal whose $what is too long to be written with every row', async ({ signal, text }) => {
  const unreachable: Consumer<unknown> = { consume: () => expect.fail('reached the store') };
  const service = new ExportService({
    consumers: { traces: unreachable, metrics: unreachable, logs: unreachable },
    maxRequestBytes: 16 * MIB,
    inFlight: new InFlightBytes(64 * MIB),
    onInternalError: () => {},
  });
  const reservation = service.inFlight.reservation();
  const { signal: abort } = new AbortController();
  const refused = service.export(signal, body(signal, text, `"${'x'.repeat(MIB)}"`), 'json', abort, reservation);
  await expect(refused).rejects.toThrow(SignalboxError);
  await expect(refused).rejects.toMatchObject({ code: 'too_large', retryable: false });
});
