import type { ViewOptions } from '@opentelemetry/sdk-metrics';
import type { OtlpOptions, StartOptions } from '../options.ts';
import { decidesAtStart } from '../sampling/resolve-sampling.ts';

/** What the application gives to `start` over what the file says, signal by signal and field by field. */
export function mergeOptions(file: StartOptions, given: StartOptions): StartOptions {
  const decides = given.sampler !== undefined || (given.sampling !== undefined && decidesAtStart(given.sampling));
  const { sampler, ...others } = file;
  const resourceAttributes = { ...file.resourceAttributes, ...given.resourceAttributes };
  const traces = mergeSignal(file.traces, given.traces, given);
  const metrics = mergeSignal(file.metrics, given.metrics, given);
  return {
    ...others,
    ...(!decides && sampler !== undefined && { sampler }),
    ...given,
    resourceAttributes,
    http: { ...file.http, ...given.http },
    console: { ...file.console, ...given.console },
    switches: { ...file.switches, ...given.switches },
    traces,
    metrics: metrics && { ...metrics, views: [...viewsOf(file), ...viewsOf(given)] },
    logs: mergeSignal(file.logs, given.logs, given),
  };
}

/** Options for all signals beat what the file says of one. */
function mergeSignal<Options extends OtlpOptions>(
  file: Options | false | undefined,
  own: Options | false | undefined,
  general: StartOptions,
): Options | false {
  if (own === false || (own === undefined && !file)) return false;
  const { endpoint, protocol, headers, compression, timeoutMillis, tls } = general;
  const declared: Partial<Options> = file ? { ...file } : {};
  if (endpoint !== undefined) delete declared.endpoint;
  if (protocol !== undefined) delete declared.protocol;
  if (compression !== undefined) delete declared.compression;
  if (timeoutMillis !== undefined) delete declared.timeoutMillis;
  if (tls !== undefined) delete declared.tls;
  const merged = { ...declared, ...own } as Options;
  return { ...merged, headers: { ...declared.headers, ...headers, ...own?.headers } };
}

function viewsOf({ metrics }: StartOptions): readonly ViewOptions[] {
  return metrics ? (metrics.views ?? []) : [];
}
