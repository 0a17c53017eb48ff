import type { KeyValue } from '@signalbox/api-contract';
import { type NamedMetric, prometheusLabelName, prometheusMetricName, prometheusUnit } from '@signalbox/otlp';
import type { MetricType } from '@signalbox/records';
import { Labels, METRIC_NAME } from '../promql/labels.ts';
import { attributeText } from './attribute-text.ts';
import { prometheusType } from './prometheus-type.ts';
import type { Translation } from './translation.ts';

/** A row of the table `series`, with its resource. */
export interface SeriesRow {
  readonly id: bigint;
  readonly metric: string;
  readonly type: MetricType;
  readonly unit: string;
  readonly isDelta: boolean;
  readonly isMonotonic: boolean;
  readonly scopeName: string;
  readonly scopeVersion: string;
  readonly scopeAttributes: readonly KeyValue[];
  readonly attributes: readonly KeyValue[];
  readonly resourceId: string;
  readonly resource: readonly KeyValue[];
}

/** A stored series as PromQL sees it. */
export interface StoredSeries {
  readonly id: bigint;
  /** Its name in the store. */
  readonly metric: string;
  readonly type: MetricType;
  readonly isDelta: boolean;
  /** Its name in Prometheus; of histograms and summaries that of the family. */
  readonly family: string;
  /** All labels but `__name__`, `le` and `quantile`. */
  readonly labels: Labels;
  readonly resourceId: string;
  /** The labels with `__name__`, by names that were asked for: most queries ask for the same. */
  readonly named: Map<string, Labels>;
}

/** The labels of a series with its name, which are made once. */
export function namedLabels({ labels, named }: StoredSeries, name: string): Labels {
  let found = named.get(name);
  if (found === undefined) {
    found = labels.with(METRIC_NAME, name);
    named.set(name, found);
  }
  return found;
}

const identifying: readonly string[] = ['service.namespace', 'service.name', 'service.instance.id'];

/** The name of a metric's family; undefined when nothing is left of its name. */
export function familyName(metric: NamedMetric, translation: Translation): string | undefined {
  return prometheusMetricName(metric, translation.strategy);
}

/** Describes rows that are read together: what many of them have in common is made once. */
export class SeriesDescriber {
  readonly #translation: Translation;
  readonly #families = new Map<string, string | undefined>();
  readonly #names = new Map<string, string | undefined>();
  readonly #resources = new Map<readonly KeyValue[], ResourceLabels>();

  constructor(translation: Translation) {
    this.#translation = translation;
  }

  /** Undefined for a series that has no name in Prometheus. */
  describe(row: SeriesRow): StoredSeries | undefined {
    const family = this.#family(row);
    if (family === undefined) return undefined;
    const { id, metric, type, isDelta, resourceId } = row;
    return { id, metric, type, isDelta, family, labels: this.#labels(row), resourceId, named: new Map() };
  }

  #family({ metric: name, type, unit, isMonotonic }: SeriesRow): string | undefined {
    const key = `${type} ${isMonotonic} ${unit}\0${name}`;
    if (this.#families.has(key)) return this.#families.get(key);
    const family = familyName({ name, type, unit, isMonotonic }, this.#translation);
    this.#families.set(key, family);
    return family;
  }

  /** Attributes as labels, promoted resource attributes, `job` and `instance`, the scope: what is later wins, promoted ones never do. */
  #labels(row: SeriesRow): Labels {
    const translation = this.#translation;
    const labels = attributeLabels(row.attributes, (key) => this.#name(key));
    const { promoted, target } = this.#ofResource(row.resource);
    for (const [name, value] of promoted) if ((labels.get(name) ?? '') === '') labels.set(name, value);
    for (const [name, value] of target) labels.set(name, value);
    if (translation.promoteScopeMetadata && row.scopeName !== '') {
      for (const { key, value } of row.scopeAttributes) {
        const name = this.#name(`otel_scope_${key}`);
        if (name !== undefined) labels.set(name, attributeText(value));
      }
      labels.set('otel_scope_name', row.scopeName).set('otel_scope_version', row.scopeVersion);
    }
    if (translation.typeAndUnitLabels) {
      labels.set('__type__', prometheusType(row.type, row.isMonotonic)).set('__unit__', prometheusUnit(row.unit));
    }
    return Labels.from(labels);
  }

  #ofResource(resource: readonly KeyValue[]): ResourceLabels {
    let found = this.#resources.get(resource);
    if (found === undefined) {
      const { promoteResourceAttributes: all } = this.#translation;
      const promoted = resource.flatMap(({ key, value }): [string, string][] => {
        const name = all.includes('*') || all.includes(key) ? this.#name(key) : undefined;
        return name === undefined ? [] : [[name, attributeText(value)]];
      });
      found = { promoted, target: [...targetLabels(resource)] };
      this.#resources.set(resource, found);
    }
    return found;
  }

  #name(key: string): string | undefined {
    if (this.#names.has(key)) return this.#names.get(key);
    const name = prometheusLabelName(key, this.#translation.strategy);
    this.#names.set(key, name);
    return name;
  }
}

interface ResourceLabels {
  /** In the order of the attributes, of which several may become one name. */
  readonly promoted: readonly (readonly [name: string, value: string])[];
  readonly target: readonly (readonly [name: string, value: string])[];
}

/** Attributes whose keys become the same name have their values joined with `;`, in the order of the keys. */
function attributeLabels(
  attributes: readonly KeyValue[],
  nameOf: (key: string) => string | undefined,
): Map<string, string> {
  const labels = new Map<string, string>();
  for (const { key, value } of attributes) {
    const name = key === '__name__' ? undefined : nameOf(key);
    if (name === undefined) continue;
    const before = labels.get(name) ?? '';
    labels.set(name, before === '' ? attributeText(value) : `${before};${attributeText(value)}`);
  }
  return labels;
}

/** `job` is `service.namespace/service.name`, `instance` is `service.instance.id`. */
function targetLabels(resource: readonly KeyValue[]): Map<string, string> {
  const [namespace, name, instance] = identifying.map((wanted) => resource.find(({ key }) => key === wanted)?.value);
  const labels = new Map<string, string>();
  if (name !== undefined) {
    labels.set('job', `${namespace === undefined ? '' : `${attributeText(namespace)}/`}${attributeText(name)}`);
  }
  if (instance !== undefined) labels.set('instance', attributeText(instance));
  return labels;
}

/**
 * The labels of a resource's `target_info` but `__name__`: its attributes, `job` and `instance`. Undefined when there is
 * nothing to tell beyond these two, or neither of them to join on.
 */
export function targetInfoLabels(resource: readonly KeyValue[], translation: Translation): Labels | undefined {
  const told = resource.filter(({ key }) => !identifying.includes(key));
  const target = targetLabels(resource);
  if (told.length === 0 || target.size === 0) return undefined;
  const labels = attributeLabels(translation.keepIdentifyingResourceAttributes ? resource : told, (key) =>
    prometheusLabelName(key, translation.strategy),
  );
  for (const [name, value] of target) labels.set(name, value);
  return Labels.from(labels);
}
