import { MetricType } from '@signalbox/records';
import { openStore } from '../open-store.ts';
import { addLog, addMetric, addNumberPoint, addSpan, BatchWriter } from './batches.ts';

/**
 * A process with a store, for tests that kill it. Arguments: the data folder, and what to do:
 * - `ingest`: stores rows one by one and in parallel, and writes the name of each to standard output once it is acknowledged;
 * - `flood`: stores five hundred spans at a time, as many as it can, and writes the service of each once they are acknowledged;
 * - `query`: runs an endless query, and on SIGTERM shuts down within 4 s;
 * - `open`: opens the store and says why it can't.
 */
const [folder = '', what] = process.argv.slice(2);

try {
  // By this clock seconds of many rows pass soon.
  const now = what === 'flood' ? { now: () => performance.now() * 3 } : {};
  const store = await openStore({ connection: { kind: 'embedded', folder, ...now }, retentionIntervalMs: 0 });
  process.stdout.write('open\n');
  if (what === 'ingest') {
    const spans = async (service: string): Promise<void> => {
      const writer = BatchWriter.spans();
      const scope = writer.scope(writer.resource([['service.name', service]]), '');
      addSpan(writer, scope, { name: 'span', start: BigInt(Date.now()) * 1_000_000n });
      await store.spans.consume(writer.batch);
    };
    const logs = async (service: string): Promise<void> => {
      const writer = BatchWriter.logs();
      const scope = writer.scope(writer.resource([['service.name', service]]), '');
      addLog(writer, scope, { body: 'line', time: BigInt(Date.now()) * 1_000_000n });
      await store.logs.consume(writer.batch);
    };
    const points = async (service: string): Promise<void> => {
      const writer = BatchWriter.metrics();
      const scope = writer.scope(writer.resource([['service.name', service]]), '');
      const metric = addMetric(writer, scope, { name: service, type: MetricType.Gauge });
      addNumberPoint(writer, metric, { time: BigInt(Date.now()) * 1_000_000n, value: 1 });
      await store.metrics.consume(writer.batch);
    };
    const lane = async (name: string): Promise<void> => {
      for (let i = 0; ; i++) {
        const service = `${name}-${i}`;
        await Promise.all([spans(service), logs(service), points(service)]);
        await store.red.consume([
          {
            time: Math.floor(Date.now() / 1000),
            service,
            name: 'operation',
            kind: 1,
            entry: true,
            error: false,
            count: 1,
            durationSum: 1,
            durationMax: 1,
            buckets: new Map([[0, 1]]),
          },
        ]);
        process.stdout.write(`${service}\n`);
      }
    };
    await Promise.all(['a', 'b', 'c'].map(lane));
  } else if (what === 'flood') {
    const lane = async (name: string): Promise<void> => {
      for (let i = 0; ; i++) {
        const service = `${name}-${i}`;
        const writer = BatchWriter.spans();
        const scope = writer.scope(writer.resource([['service.name', service]]), '');
        const start = BigInt(Date.now()) * 1_000_000n;
        for (let span = 0; span < 500; span++) addSpan(writer, scope, { name: 'span', start });
        await store.spans.consume(writer.batch);
        process.stdout.write(`${service}\n`);
      }
    };
    await Promise.all(Array.from({ length: 16 }, (_, number) => lane(`lane${number}`)));
  } else if (what === 'query') {
    process.once('SIGTERM', () => {
      void store.shutdown(4_000).then(() => process.exit(0));
    });
    await store.connection
      .query('SELECT count() FROM numbers(1e12) WHERE NOT ignore(sipHash64(number))')
      .catch((error: Error) => process.stdout.write(`${error.message}\n`));
  } else {
    await store.shutdown(1_000);
  }
} catch (error) {
  process.stdout.write(`${(error as Error).message}\n`);
  process.exitCode = 1;
}
