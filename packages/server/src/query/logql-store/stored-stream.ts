import type { KeyValue } from '@signalbox/api-contract';
import { StreamLabels } from '../logql/stream-labels.ts';
import { attributeText } from '../promql-store/attribute-text.ts';

/** Resource attributes that Loki's OTLP endpoint makes labels of streams (its default `otlp_config`). */
const INDEX_ATTRIBUTES: ReadonlySet<string> = new Set([
  'cloud.availability_zone',
  'cloud.region',
  'container.name',
  'deployment.environment',
  'deployment.environment.name',
  'k8s.cluster.name',
  'k8s.container.name',
  'k8s.cronjob.name',
  'k8s.daemonset.name',
  'k8s.deployment.name',
  'k8s.job.name',
  'k8s.namespace.name',
  'k8s.pod.name',
  'k8s.replicaset.name',
  'k8s.statefulset.name',
  'service.instance.id',
  'service.name',
  'service.namespace',
]);

/** Names those attributes, by commas, that were pushed as labels of a stream. */
const LABELS_HINT = 'loki.resource.labels';
const UNKNOWN_SERVICE = 'unknown_service';

/** A resource as Loki has it: a stream, and metadata that all of its entries have. */
export interface StoredStream {
  readonly id: bigint;
  readonly service: string;
  readonly stream: StreamLabels;
  readonly metadata: readonly (readonly [name: string, value: string])[];
  /** It was pushed in Loki's own format: its labels are those that were pushed, and nothing is added to its entries. */
  readonly isPushed: boolean;
}

/** A resource's attributes as labels and metadata. */
export function describeStream(id: bigint, service: string, attributes: readonly KeyValue[]): StoredStream {
  const values = new Map(attributes.map(({ key, value }) => [key, attributeText(value)]));
  const hint = values.get(LABELS_HINT);
  if (hint !== undefined) {
    const names = new Set(hint.split(',').filter((name) => values.has(name)));
    const labels = [...names].map((name) => [lokiName(name), values.get(name) ?? ''] as const);
    const implied = new Map<string, string>();
    if (!names.has('service.name')) implied.set('service_name', values.get('service.name') ?? UNKNOWN_SERVICE);
    return { id, service, stream: new StreamLabels(new Map(labels), implied), metadata: [], isPushed: true };
  }
  const labels = new Map<string, string>();
  const metadata: [string, string][] = [];
  for (const [name, value] of values) {
    if (INDEX_ATTRIBUTES.has(name)) labels.set(lokiName(name), value);
    else metadata.push([lokiName(name), value]);
  }
  if (!labels.has('service_name')) labels.set('service_name', UNKNOWN_SERVICE);
  return { id, service, stream: new StreamLabels(labels), metadata, isPushed: false };
}

/** An attribute's name as a label: what is neither a letter, a digit nor `_` becomes `_`. */
export function lokiName(attribute: string): string {
  if (/^[A-Za-z_][A-Za-z0-9_]*$/.test(attribute)) return attribute;
  const name = attribute.replace(/[^A-Za-z0-9_]/g, '_');
  return /^\d/.test(name) ? `key_${name}` : name;
}

/** Loki's names of OTLP's levels, by severity number. */
const LEVELS = ['unknown', 'trace', 'debug', 'info', 'warn', 'error', 'fatal'];

/** What Loki calls `detected_level`. */
export function detectedLevel(severityNumber: number): string {
  if (severityNumber === 0) return 'unknown';
  return LEVELS[Math.min(Math.ceil(severityNumber / 4), 6)] as string;
}
