import { type Counter, type Histogram, type Meter, type UpDownCounter, ValueType } from '@opentelemetry/api';

/** What the API records by itself; the SDK adds what the conventions and the surfaces name. */
export interface Instruments {
  readonly requests: Counter;
  readonly requestDuration: Histogram;
  readonly agentsActive: UpDownCounter;
  readonly agentDeployDuration: Histogram;
  readonly chatDuration: Histogram;
}

const durations = [0.1, 0.5, 1, 2, 5, 10, 30, 60];

/** The SDK must have been started: a meter of the API alone never becomes a real one. */
export function createInstruments(meter: Meter): Instruments {
  const seconds = (name: string, description: string, explicitBucketBoundaries: number[]) =>
    meter.createHistogram(name, { description, unit: 's', advice: { explicitBucketBoundaries } });
  return {
    requests: meter.createCounter('http_requests_total', {
      description: 'Total HTTP requests',
      unit: '{request}',
      valueType: ValueType.INT,
    }),
    requestDuration: seconds(
      'http_request_duration_seconds',
      'HTTP request duration',
      [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
    ),
    agentsActive: meter.createUpDownCounter('agents_active', {
      description: 'Agents that are deployed',
      unit: '{agent}',
      valueType: ValueType.INT,
    }),
    agentDeployDuration: seconds('agent_deploy_duration_seconds', 'From the request to a running agent', durations),
    chatDuration: seconds('chat_duration_seconds', 'Chat turn duration', durations),
  };
}
