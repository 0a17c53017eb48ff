import { randomBytes } from 'node:crypto';

/** Requests in OTLP/JSON, written by hand from the specification, so that these tests do not lean on our own encoder. */

const resource = (service: string) => ({ attributes: [{ key: 'service.name', value: { stringValue: service } }] });
const nano = (ms: number) => `${BigInt(Math.round(ms)) * 1_000_000n}`;
const hex = (bytes: number) => randomBytes(bytes).toString('hex');

export interface TraceOptions {
  service: string;
  traceId?: string;
  spans?: number;
  startMs?: number;
  name?: string;
  attributes?: { key: string; value: Record<string, unknown> }[];
}

/** One trace: a SERVER root and INTERNAL children of a millisecond each. */
export function tracesRequest({
  service,
  traceId = hex(16),
  spans = 1,
  startMs = Date.now(),
  name = 'GET /',
  attributes = [],
}: TraceOptions) {
  const rootId = hex(8);
  return {
    resourceSpans: [
      {
        resource: resource(service),
        scopeSpans: [
          {
            scope: { name: 'e2e' },
            spans: Array.from({ length: spans }, (_, index) => ({
              traceId,
              spanId: index === 0 ? rootId : hex(8),
              ...(index === 0 ? {} : { parentSpanId: rootId }),
              name: index === 0 ? name : `step ${index}`,
              kind: index === 0 ? 2 : 1,
              startTimeUnixNano: nano(startMs + index),
              endTimeUnixNano: nano(startMs + index + 1),
              attributes,
            })),
          },
        ],
      },
    ],
  };
}

export function logsRequest(service: string, bodies: string[], { traceId = '', timeMs = Date.now() } = {}) {
  return {
    resourceLogs: [
      {
        resource: resource(service),
        scopeLogs: [
          {
            logRecords: bodies.map((body, index) => ({
              timeUnixNano: nano(timeMs + index),
              severityNumber: 9,
              severityText: 'INFO',
              body: { stringValue: body },
              ...(traceId ? { traceId, spanId: hex(8) } : {}),
            })),
          },
        ],
      },
    ],
  };
}

/** One cumulative, monotonic sum with one point for each label value. */
export function metricsRequest(
  service: string,
  name: string,
  labels: string[],
  { timeMs = Date.now(), value = 1 } = {},
) {
  return {
    resourceMetrics: [
      {
        resource: resource(service),
        scopeMetrics: [
          {
            metrics: [
              {
                name,
                sum: {
                  aggregationTemporality: 2,
                  isMonotonic: true,
                  dataPoints: labels.map((label) => ({
                    startTimeUnixNano: nano(timeMs - 1000),
                    timeUnixNano: nano(timeMs),
                    asInt: String(value),
                    attributes: [{ key: 'label', value: { stringValue: label } }],
                  })),
                },
              },
            ],
          },
        ],
      },
    ],
  };
}

/** Sends it and gives the answer; a rejected promise stands for a connection that broke. */
export async function post(
  endpoint: string,
  signal: 'traces' | 'logs' | 'metrics',
  body: unknown,
): Promise<{ status: number; body: unknown }> {
  const response = await fetch(`${endpoint}/v1/${signal}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  return { status: response.status, body: await response.json() };
}

export { hex };
