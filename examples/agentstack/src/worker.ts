// Start-up of the worker.
import { readWorkerConfig } from './config.ts';
import { run } from './run.ts';
import { startTelemetry } from './telemetry/start-telemetry.ts';

// Before anything that it covers is loaded.
const telemetry = startTelemetry('agentstack-worker', '0.1.0');

await run('agentstack-worker', async () => {
  const config = readWorkerConfig(process.env);
  const { serveWorker } = await import('./serve-worker.ts');
  await serveWorker(config, telemetry);
});
