import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { TraceResponse } from '@signalbox/api-contract';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { Child } from './child-process.ts';
import { eventually, SignalboxProcess } from './signalbox-process.ts';

const dist = fileURLToPath(new URL('../packages/node/dist/', import.meta.url));
let signalbox: SignalboxProcess;
let folder: string;
beforeEach(async () => {
  // Inside the package, so that bare imports resolve as they do for an installed application.
  folder = mkdtempSync(join(dist, '.app-'));
  signalbox = await new SignalboxProcess().start();
});
afterEach(async () => {
  await signalbox.dispose();
  rmSync(folder, { recursive: true, force: true });
});

test('the SDK sends to Signalbox over gRPC with gzip, at process.exit too', async () => {
  const file = join(folder, 'app.mjs');
  writeFileSync(
    file,
    `import { trace } from '@opentelemetry/api';
     const span = trace.getTracer('app').startSpan('job');
     span.end();
     console.log('trace=' + span.spanContext().traceId);
     process.exit(0);`,
  );
  const app = new Child(process.execPath, ['--import', join(dist, 'register.js'), file], {
    OTEL_EXPORTER_OTLP_PROTOCOL: 'grpc',
    OTEL_EXPORTER_OTLP_COMPRESSION: 'gzip',
    OTEL_EXPORTER_OTLP_ENDPOINT: signalbox.otlpGrpc,
    OTEL_SERVICE_NAME: 'over-grpc',
  });
  const [, traceId] = await app.waitFor(/trace=([0-9a-f]{32})/);
  const trace = await eventually(() => signalbox.api<TraceResponse>(`traces/${traceId}`).catch(() => undefined));
  expect(trace.spans).toMatchObject([{ name: 'job' }]);
  expect(app.output).not.toContain('signalbox:');
});
