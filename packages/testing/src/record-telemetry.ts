import { ProxyTracerProvider, type TracerProvider, trace } from '@opentelemetry/api';
import { type StartOptions, start, type Telemetry } from '@signalbox/node';
import type { Recording } from './recording.ts';
import { OWN_PATH, TelemetryReceiver } from './telemetry-receiver.ts';

/** Long enough never to happen during a test: metrics are collected when the test asks. */
const NEVER_MILLIS = 3_600_000;

/**
 * Starts the real SDK in this process, with its real providers, instrumentations and exporters, and records what leaves it.
 * Call it before the libraries under test are loaded (e.g. in a setup file), once per process at a time.
 *
 * Throws where telemetry is switched off by `OTEL_SDK_DISABLED`, and where another SDK has been started before.
 */
export async function recordTelemetry(options: StartOptions = {}): Promise<TelemetryRecorder> {
  if (process.env.OTEL_SDK_DISABLED === 'true')
    throw new Error('nothing can be recorded: OTEL_SDK_DISABLED is true; unset it for the tests');
  const receiver = await TelemetryReceiver.listen();
  const before = globalTracerProvider();
  const telemetry = start(withDestination(options, receiver.endpoint));
  if (globalTracerProvider() === before && options.traces !== false) {
    await receiver.close();
    throw new Error('nothing can be recorded: telemetry was started before; stop that, or call recordTelemetry first');
  }
  return new TelemetryRecorder(telemetry, receiver);
}

/** A running SDK together with what receives its telemetry. */
export class TelemetryRecorder {
  readonly telemetry: Telemetry;
  readonly receiver: TelemetryReceiver;

  constructor(telemetry: Telemetry, receiver: TelemetryReceiver) {
    this.telemetry = telemetry;
    this.receiver = receiver;
  }

  /** Makes the SDK send everything that is finished, and resolves with all that arrived since the last `reset`. */
  async collect(): Promise<Recording> {
    await this.telemetry.flush();
    return this.receiver.recording();
  }

  /**
   * Forgets what was recorded, what waits in the SDK included. Cumulative metrics go on counting, as they do in production:
   * compare with a value taken before, or use delta temporality.
   */
  async reset(): Promise<void> {
    await this.telemetry.flush();
    this.receiver.reset();
  }

  /** Stops the SDK and undoes its instrumentations. */
  async stop(): Promise<void> {
    await this.telemetry.shutdown();
    await this.receiver.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }
}

/** Whatever the environment says about exporters, this is where a test's telemetry goes. */
function withDestination(options: StartOptions, endpoint: string): StartOptions {
  const to = (path: string) => ({
    endpoint: `${endpoint}${OWN_PATH}${path}`,
    protocol: 'http/protobuf' as const,
    compression: 'none' as const,
  });
  return {
    serviceName: 'test',
    handleExit: false,
    ...options,
    http: {
      ...options.http,
      ignoreIncoming: (request) => request.url.startsWith(OWN_PATH) || options.http?.ignoreIncoming?.(request) === true,
    },
    traces: options.traces === false ? false : { ...options.traces, ...to('/v1/traces') },
    logs: options.logs === false ? false : { ...options.logs, ...to('/v1/logs') },
    metrics:
      options.metrics === false
        ? false
        : { exportIntervalMillis: NEVER_MILLIS, ...options.metrics, ...to('/v1/metrics') },
  };
}

function globalTracerProvider(): TracerProvider {
  const provider = trace.getTracerProvider();
  return provider instanceof ProxyTracerProvider ? provider.getDelegate() : provider;
}
