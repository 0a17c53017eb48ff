import type { Instrumentation } from '../instrumentation.ts';
import type { StartOptions } from '../options.ts';
import { start, type Telemetry } from '../start.ts';
import { OtlpSink } from './otlp-sink.ts';

/**
 * Runs `run` with telemetry in this process, sent to a sink over the wire, and answers the sink with all that was recorded.
 * Nothing leaves before the end, so that each metric arrives once.
 */
export async function record(
  instrumentations: readonly Instrumentation[],
  run: (telemetry: Telemetry) => unknown,
  options: StartOptions = {},
): Promise<OtlpSink> {
  const sink = await new OtlpSink().listen();
  const telemetry = start({ endpoint: sink.url, serviceName: 'test', handleExit: false, instrumentations, ...options });
  try {
    await run(telemetry);
  } finally {
    await telemetry.shutdown();
    await sink.close();
  }
  return sink;
}
