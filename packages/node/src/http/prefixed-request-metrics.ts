import type { Context } from '@opentelemetry/api';
import type { InstrumentationContext } from '../instrumentation.ts';
import { prometheusBoundaries } from '../surfaces/duration-boundaries.ts';

/** Requests under names of the application's own, beside those of the conventions. */
export interface PrefixedRequestMetrics {
  begin(method: string): void;
  /** `status` is undefined where there was no response. */
  end(method: string, route: string | undefined, status: number | undefined, seconds: number, active: Context): void;
}

/**
 * `http_requests_total` and `http_request_duration_seconds` by `method`, `route` (`unmatched` for none) and `status` (`aborted`
 * for none), `http_requests_in_flight` by `method`. They say once more what the conventions' metrics say, so they exist only
 * where `metricPrefix` makes them the application's own.
 */
export function prefixedRequestMetrics({
  cells,
  settings,
}: Pick<InstrumentationContext, 'cells' | 'settings'>): PrefixedRequestMetrics | undefined {
  if (settings.metricPrefix === '') return undefined;
  const labelsOf = (method: string, route: string | undefined, status: number | undefined) => ({
    method,
    route: route ?? 'unmatched',
    status: status === undefined ? 'aborted' : String(status),
  });
  const requests = cells.counter(
    'http_requests_total',
    { description: 'HTTP requests that are over.', unit: '{request}', prefixed: true },
    labelsOf,
  );
  const duration = cells.histogram(
    'http_request_duration_seconds',
    { description: 'Duration of HTTP requests.', unit: 's', boundaries: prometheusBoundaries, prefixed: true },
    labelsOf,
  );
  const inFlight = cells.upDownCounter(
    'http_requests_in_flight',
    { description: 'HTTP requests that are being served.', unit: '{request}', prefixed: true },
    (method: string) => ({ method }),
  );
  return {
    begin: (method) => inFlight(method).add(1),
    end(method, route, status, seconds, active) {
      inFlight(method).add(-1);
      requests(method, route, status).add(1);
      duration(method, route, status).record(seconds, active);
    },
  };
}
