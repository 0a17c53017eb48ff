import type { LabelPair } from './parse-labels.ts';

/**
 * Labels that Loki makes of resource attributes by default (its `otlp_config`), turned back. All other labels keep their name, so that
 * `{job="x"}` finds them too.
 */
const ATTRIBUTE_OF_LABEL: ReadonlyMap<string, string> = new Map(
  [
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
  ].map((attribute) => [attribute.replaceAll('.', '_'), attribute]),
);

/** Labels that name the service, in the order in which Loki asks (`discover_service_name`). */
const SERVICE_LABELS = [
  'service',
  'app',
  'application',
  'app_name',
  'name',
  'app_kubernetes_io_name',
  'container',
  'container_name',
  'k8s_container_name',
  'component',
  'workload',
  'job',
  'k8s_job_name',
];
const UNKNOWN_SERVICE = 'unknown_service';

/**
 * Resource attribute that names those, by commas, which are labels of a stream in Loki: the Collector's hint for its exporter to Loki.
 * Who queries in Loki's terms sees by it which labels were pushed.
 */
const LABELS_HINT = 'loki.resource.labels';

/** The attributes of the resource that a stream stands for: its labels, `service.name` as Loki would find it, and which are labels. */
export function streamAttributes(labels: readonly LabelPair[]): LabelPair[] {
  const attributes = withService(labels);
  const names = labels.map(([name]) => ATTRIBUTE_OF_LABEL.get(name) ?? name);
  return [...attributes, [LABELS_HINT, names.join(',')]];
}

function withService(labels: readonly LabelPair[]): LabelPair[] {
  const attributes: LabelPair[] = labels.map(([name, value]) => [ATTRIBUTE_OF_LABEL.get(name) ?? name, value]);
  if (attributes.some(([name, value]) => name === 'service.name' && value !== '')) return attributes;
  const values = new Map(labels);
  const found = SERVICE_LABELS.map((label) => values.get(label)).find((value) => value !== undefined && value !== '');
  return [...attributes.filter(([name]) => name !== 'service.name'), ['service.name', found ?? UNKNOWN_SERVICE]];
}
