// Start-up of the API, and the one place of it that touches the SDK: everything else speaks the OpenTelemetry API.
import { readApiConfig } from './config.ts';
import { run } from './run.ts';
import { startTelemetry } from './telemetry/start-telemetry.ts';

// Before anything that it covers is loaded.
const telemetry = startTelemetry('agentstack-api', '0.1.0');

await run('agentstack-api', async () => {
  const config = readApiConfig(process.env);
  const { serveApi } = await import('./serve-api.ts');
  await serveApi(config, telemetry);
});
