// Start-up, and the one place that touches the SDK: everything else is an ordinary program.
import { ConfigError, readConfig } from './config.ts';
import { startTelemetry } from './start-telemetry.ts';

try {
  const config = readConfig(process.env);
  // Before anything that it covers is loaded.
  startTelemetry(config);
  const { serve } = await import('./serve.ts');
  await serve(config);
} catch (error) {
  const isConfig = error instanceof ConfigError;
  console.error(isConfig ? `sidechain: ${error.message}` : error);
  process.exit(isConfig ? 2 : 1);
}
