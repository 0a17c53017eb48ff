import type { Warnings } from '../../warnings.ts';
import { PrometheusEndpoint, type PrometheusSettings } from './prometheus-endpoint.ts';

/** A function, for `register` to have the class in another file. */
export function createPrometheusEndpoint(settings: PrometheusSettings, warnings: Warnings): PrometheusEndpoint {
  return new PrometheusEndpoint(settings, warnings);
}
