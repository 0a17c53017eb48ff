import { decodeTraces, encodeTraces } from '@signalbox/otlp';
import { MetricBatch, SpanBatch, spanObjects } from '@signalbox/records';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { ALL_ACCEPTED, type ConsumeResult } from '../../pipeline/consumer.ts';
import { jsonRequest } from '../testing/otlp-requests.ts';
import { ExportService } from './export-service.ts';
import { InFlightBytes } from './in-flight-bytes.ts';
import { SpareMemory } from './spare-memory.ts';

const KIB = 1024;

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

describe('SpareMemory', () => {
  it('gives a body of the right length, from what was kept if there is one', () => {
    const spare = new SpareMemory();
    const first = spare.body(100 * KIB);
    expect(first.length).toBe(100 * KIB);
    spare.keepBody(first);
    const second = spare.body(90 * KIB);
    expect(second.length).toBe(90 * KIB);
    expect(second.buffer).toBe(first.buffer);
    expect(spare.body(90 * KIB).buffer).not.toBe(first.buffer);
  });

  it('keeps no bodies that it did not make, and none that are huge', () => {
    const spare = new SpareMemory();
    for (const body of [new Uint8Array(100 * KIB), spare.body(100), spare.body(5 * KIB * KIB)]) {
      spare.keepBody(body);
      expect(spare.body(body.length).buffer).not.toBe(body.buffer);
    }
  });

  it('keeps no more than its limits', () => {
    const spare = new SpareMemory();
    const bodies = Array.from({ length: 40 }, () => spare.body(KIB * KIB));
    for (const body of bodies) {
      spare.keepBody(body);
      spare.spans.keep(new SpanBatch(body), KIB * KIB);
    }
    const made = new Set(bodies.map(({ buffer }) => buffer));
    expect(bodies.filter(() => made.has(spare.body(KIB * KIB).buffer)).length).toBe(32);
    expect(bodies.filter(() => spare.spans.take() !== undefined).length).toBe(32);
    spare.spans.keep(new SpanBatch(spare.body(10)), 5 * KIB * KIB);
    expect(spare.spans.take()).toBeUndefined();
  });

  it('lets go of everything when nobody has sent for ten seconds', () => {
    const spare = new SpareMemory();
    const body = spare.body(KIB * KIB);
    spare.keepBody(body);
    for (let i = 0; i < 2; i++) {
      spare.spans.keep(new SpanBatch(body), 10);
      spare.metrics.keep(new MetricBatch(body), 10);
    }
    vi.advanceTimersByTime(9_000);
    spare.keepBody(spare.body(20 * KIB));
    vi.advanceTimersByTime(9_000);
    expect(spare.spans.take()).toBeDefined();
    expect(spare.metrics.take()).toBeDefined();
    vi.advanceTimersByTime(1_000);
    expect(spare.spans.take()).toBeUndefined();
    expect(spare.metrics.take()).toBeUndefined();
    expect(spare.body(KIB * KIB).buffer).not.toBe(body.buffer);
  });
});

describe('ExportService', () => {
  it('uses memory again when the consumer is done with it, and not before', async () => {
    const batches: SpanBatch[] = [];
    const waiting: ((result: ConsumeResult) => void)[] = [];
    const inFlight = new InFlightBytes(256 * KIB * KIB);
    const traces = {
      consume: (batch: SpanBatch) => {
        batches.push(batch);
        return new Promise<ConsumeResult>((resolve) => waiting.push(resolve));
      },
    };
    const service = new ExportService({
      consumers: { traces },
      maxRequestBytes: KIB * KIB,
      inFlight,
      onInternalError: () => {},
    });
    const request = encodeTraces(decodeTraces(Buffer.from(JSON.stringify(jsonRequest('traces', 500))), 'json').batch);
    const send = () => {
      const body = service.spare.body(request.length);
      body.set(request);
      return service.export('traces', body, 'protobuf', new AbortController().signal, inFlight.reservation());
    };
    const finish = () => waiting.shift()?.(ALL_ACCEPTED);

    const answers = [send(), send()];
    expect(batches[1]).not.toBe(batches[0]);
    expect(batches[1]?.bytes.buffer).not.toBe(batches[0]?.bytes.buffer);
    finish();
    await answers[0];
    const bytes = batches[0]?.bytes.buffer;
    answers.push(send());
    expect(batches[2]).toBe(batches[0]);
    expect(batches[2]?.bytes.buffer).toBe(bytes);
    expect(spanObjects(batches[2] as SpanBatch)).toEqual(spanObjects(batches[1] as SpanBatch));
    finish();
    finish();
    await Promise.all(answers);
  });
});
