import { trace } from '@opentelemetry/api';
import { Model } from './chat/model.ts';
import type { WorkerConfig } from './config.ts';
import { listen } from './http/listen.ts';
import { createWorkerApp } from './http/worker-app.ts';
import { createLogger } from './telemetry/create-logger.ts';
import type { RunningTelemetry } from './telemetry/start-telemetry.ts';

/** Wires the worker's parts together and serves. */
export async function serveWorker(config: WorkerConfig, telemetry: RunningTelemetry): Promise<void> {
  const log = createLogger(config.logLevel);
  const model = new Model({ url: config.llmUrl, key: config.llmKey, timeoutMs: config.llmTimeoutMs });
  const app = createWorkerApp({
    model,
    tracer: trace.getTracer('agentstack/agent'),
    log,
    scrape: telemetry.scrape,
  });
  const { host, port } = config;
  await listen(app, { name: 'agentstack-worker', host, port, portVariable: 'AGENTSTACK_WORKER_PORT', log, telemetry });
}
