import type {
  LogSearchResponse,
  MetricLabelValuesResponse,
  TraceResponse,
  TraceSearchResponse,
} from '@signalbox/api-contract';
import { afterEach, describe, expect, test } from 'vitest';
import { Child } from './child-process.ts';
import { hex, logsRequest, metricsRequest, post, tracesRequest } from './otlp-json.ts';
import { binary, eventually, SignalboxProcess } from './signalbox-process.ts';

let signalbox: SignalboxProcess | undefined;
afterEach(async () => {
  await signalbox?.dispose();
  signalbox = undefined;
});

describe('what was acknowledged', () => {
  test('is there after kill -9 in the middle of load, in every signal', async () => {
    signalbox = await new SignalboxProcess().start();
    const spansPerTrace = 20;
    const acknowledged = { traces: [] as string[], logs: [] as string[], labels: [] as string[] };
    const { otlpHttp } = signalbox;
    const send = async () => {
      for (;;) {
        const traceId = hex(16);
        try {
          const traces = await post(
            otlpHttp,
            'traces',
            tracesRequest({ service: 'durable', traceId, spans: spansPerTrace }),
          );
          if (traces.status === 200) acknowledged.traces.push(traceId);
          const logs = await post(otlpHttp, 'logs', logsRequest('durable', [`line of ${traceId}`], { traceId }));
          if (logs.status === 200) acknowledged.logs.push(traceId);
          const metrics = await post(otlpHttp, 'metrics', metricsRequest('durable', 'durable.points', [traceId]));
          if (metrics.status === 200) acknowledged.labels.push(traceId);
        } catch {
          return; // the connection broke: the process is gone
        }
      }
    };
    const senders = Array.from({ length: 8 }, send);
    await eventually(async () => (acknowledged.labels.length >= 50 ? true : undefined), 60_000);
    await signalbox.child.stop('SIGKILL');
    await Promise.all(senders);

    await signalbox.start();
    for (const traceId of acknowledged.traces) {
      const { spans } = await signalbox.api<TraceResponse>(`traces/${traceId}`);
      expect(new Set(spans.map(({ spanId }) => spanId)).size, traceId).toBe(spansPerTrace);
    }
    for (const traceId of acknowledged.logs) {
      const { logs } = await signalbox.api<LogSearchResponse>('logs', { traceId });
      expect(logs.map(({ body }) => body)).toEqual([{ stringValue: `line of ${traceId}` }]);
    }
    const { values } = await signalbox.api<MetricLabelValuesResponse>('metrics/label-values', {
      name: 'durable.points',
      label: 'label',
    });
    // The answer is bounded; a sample of the newest is not enough to prove anything, so ask one by one when it is full.
    const stored = new Set(values);
    for (const label of acknowledged.labels) {
      if (stored.has(label)) continue;
      const { total } = await signalbox.api<{ total: number }>('metrics/query', {
        name: 'durable.points',
        filter: `label = "${label}"`,
        groupBy: 'label',
      });
      expect(total, label).toBe(1);
    }
  });

  test('a body that looks like SQL is text in every field of every signal', async () => {
    signalbox = await new SignalboxProcess().start();
    const hostile =
      '\n\nDROP TABLE signalbox.spans; -- \' " ` \\ {x:String} \u0000 </script><img src=x onerror=alert(1)>';
    const attributes = [{ key: hostile, value: { stringValue: hostile } }];
    const traceId = hex(16);
    const traces = tracesRequest({ service: hostile, traceId, name: hostile, attributes });
    expect((await post(signalbox.otlpHttp, 'traces', traces)).status).toBe(200);
    expect((await post(signalbox.otlpHttp, 'logs', logsRequest(hostile, [hostile], { traceId }))).status).toBe(200);
    expect((await post(signalbox.otlpHttp, 'metrics', metricsRequest(hostile, hostile, [hostile]))).status).toBe(200);

    const trace = await signalbox.api<TraceResponse>(`traces/${traceId}`);
    expect(trace.spans[0]).toMatchObject({ name: hostile, service: hostile, attributes });
    const { logs } = await signalbox.api<LogSearchResponse>('logs', { traceId });
    expect(logs[0]).toMatchObject({ body: { stringValue: hostile }, service: hostile });
    const found = await signalbox.api<TraceSearchResponse>('traces', { service: hostile, operation: hostile });
    expect(found.total).toBe(1);
    const { values } = await signalbox.api<MetricLabelValuesResponse>('metrics/label-values', {
      name: hostile,
      label: 'label',
    });
    expect(values).toEqual([hostile]);
  });
});

describe('a bad day', () => {
  test('a second process on the folder says so and leaves the first alone', async () => {
    signalbox = await new SignalboxProcess().start();
    const second = new Child(process.execPath, [
      binary,
      '--data',
      signalbox.data,
      '--port',
      '0',
      '--otlp-http-port',
      '0',
      '--otlp-grpc-port',
      '0',
    ]);
    await second.waitFor(/is in use by .*--data/);
    await eventually(async () => (second.exited ? true : undefined), 20_000);
    expect(second.process.exitCode).toBe(1);
    expect((await post(signalbox.otlpHttp, 'traces', tracesRequest({ service: 'first' }))).status).toBe(200);
  });

  test('a port that is taken names the setting to change', async () => {
    signalbox = await new SignalboxProcess().start();
    const port = new URL(signalbox.otlpHttp).port;
    const other = new SignalboxProcess();
    const second = new Child(process.execPath, [
      binary,
      '--data',
      other.data,
      '--port',
      '0',
      '--otlp-http-port',
      port,
      '--otlp-grpc-port',
      '0',
    ]);
    await second.waitFor(/--otlp-http-port/);
    await eventually(async () => (second.exited ? true : undefined), 20_000);
    expect(second.process.exitCode).toBe(1);
    await other.dispose();
  });

  test('a batch that spans a year: what is older than the retention is refused by name, everything else is taken', async () => {
    signalbox = await new SignalboxProcess().start();
    const traceId = hex(16);
    const day = 86_400_000;
    const request = tracesRequest({ service: 'years', traceId, spans: 365 });
    const spans = request.resourceSpans[0]?.scopeSpans[0]?.spans ?? [];
    spans.forEach((span, index) => {
      const start = BigInt(Date.now() - index * day) * 1_000_000n;
      span.startTimeUnixNano = `${start}`;
      span.endTimeUnixNano = `${start + 1000n}`;
    });
    const [answer, other] = await Promise.all([
      post(signalbox.otlpHttp, 'traces', request),
      post(signalbox.otlpHttp, 'traces', tracesRequest({ service: 'somebody else' })),
    ]);
    expect(other).toEqual({ status: 200, body: {} });
    const { partialSuccess } = answer.body as { partialSuccess: { rejectedSpans: string; errorMessage: string } };
    expect(answer.status).toBe(200);
    expect(partialSuccess.errorMessage).toMatch(/older than .*7d/);
    const kept = 365 - Number(partialSuccess.rejectedSpans);
    expect(kept).toBeGreaterThanOrEqual(7);
    expect(kept).toBeLessThanOrEqual(9);
    expect((await signalbox.api<TraceResponse>(`traces/${traceId}`)).spans).toHaveLength(kept);
  });

  test('with a longer retention an old batch is taken whole, and does not hold up new data', async () => {
    signalbox = await new SignalboxProcess().start('--retention-traces', '400d');
    const traceId = hex(16);
    const request = tracesRequest({ service: 'months', traceId, spans: 90 });
    const spans = request.resourceSpans[0]?.scopeSpans[0]?.spans ?? [];
    spans.forEach((span, index) => {
      const start = BigInt(Date.now() - index * 4 * 86_400_000) * 1_000_000n;
      span.startTimeUnixNano = `${start}`;
      span.endTimeUnixNano = `${start + 1000n}`;
    });
    // What a first request takes, on a slow machine, would let the next join its group.
    expect((await post(signalbox.otlpHttp, 'traces', tracesRequest({ service: 'before' }))).status).toBe(200);
    let oldIsStored = false;
    const old = post(signalbox.otlpHttp, 'traces', request).then((answer) => {
      oldIsStored = true;
      return answer;
    });
    await new Promise((resolve) => setTimeout(resolve, 150));
    expect((await post(signalbox.otlpHttp, 'traces', tracesRequest({ service: 'now' }))).status).toBe(200);
    expect(oldIsStored).toBe(false);
    expect(await old).toEqual({ status: 200, body: {} });
    expect((await signalbox.api<TraceResponse>(`traces/${traceId}`)).spans).toHaveLength(90);
  });

  test.each(['SIGTERM', 'SIGINT'] as const)(
    '%s in the middle of a long query ends the process within 5 s',
    async (signal) => {
      signalbox = await new SignalboxProcess().start();
      expect(
        (
          await post(
            signalbox.otlpHttp,
            'logs',
            logsRequest(
              'busy',
              Array.from({ length: 2000 }, () => 'x'.repeat(2000)),
            ),
          )
        ).status,
      ).toBe(200);
      // Many queries at once, so that some run and some wait when the signal comes.
      const queries = Array.from({ length: 30 }, (_, index) =>
        signalbox
          ?.api('logs', { q: `"${'x'.repeat(900)}${index}"`, filter: 'missing =~ "(x+x+)+y"' })
          .catch(() => 'cut'),
      );
      await Promise.race(queries);
      const { code, elapsedMs } = await signalbox.child.stop(signal);
      expect(elapsedMs).toBeLessThan(5500);
      expect(code).toBe(0);
      expect(await Promise.all(queries)).toContain('cut');
      await signalbox.start(); // and the folder opens again
    },
  );
});
