import { prometheusLabelName } from '@signalbox/otlp';
import {
  type AttributeEntry,
  type AttributeValue,
  type LogBatch,
  type LogObject,
  logObjects,
} from '@signalbox/records';
import { labelValue } from '../prometheus/label-value.ts';
import { LINE_FORMATS, type LineFormat, lineOf } from './log-line.ts';

export interface LokiStream {
  /** Value of `X-Scope-OrgID`; '' for none. */
  readonly tenant: string;
  /** As Loki writes them, sorted by name: `{exporter="OTLP", job="shop"}`. */
  readonly labels: string;
  readonly entries: readonly { readonly time: bigint; readonly line: string }[];
}

export interface DefaultLabels {
  readonly exporter: boolean;
  readonly job: boolean;
  readonly instance: boolean;
  readonly level: boolean;
}

const HINT_ATTRIBUTES = 'loki.attribute.labels';
const HINT_RESOURCES = 'loki.resource.labels';
const HINT_TENANT = 'loki.tenant';
const HINT_FORMAT = 'loki.format';
const HINTS: ReadonlySet<string> = new Set([HINT_ATTRIBUTES, HINT_RESOURCES, HINT_TENANT, HINT_FORMAT]);

const SEVERITIES = ['TRACE', 'DEBUG', 'INFO', 'WARN', 'ERROR', 'FATAL'];

/**
 * Log records as the Collector's `loki` exporter of version 0.91 arranged them: labels `exporter`, `job`, `instance` and `level`, those that
 * the hints `loki.attribute.labels` and `loki.resource.labels` name, and a line that holds the rest.
 *
 * @param nowNs time of records that have none, in nanoseconds since 1970
 */
export function lokiStreams(batch: LogBatch, defaults: DefaultLabels, nowNs: bigint): LokiStream[] {
  const streams = new Map<string, LokiStream & { entries: { time: bigint; line: string }[] }>();
  for (const record of logObjects(batch)) {
    const { labels, promoted, tenant } = labelsOf(record, defaults);
    const text = printed(labels);
    const key = JSON.stringify([tenant, text]);
    let stream = streams.get(key);
    if (stream === undefined) {
      stream = { tenant, labels: text, entries: [] };
      streams.set(key, stream);
    }
    const rest = (attributes: readonly AttributeEntry[]) =>
      attributes.filter(([name]) => !HINTS.has(name) && !promoted.has(name));
    const { time, observedTime } = record;
    stream.entries.push({
      time: time !== 0n ? time : observedTime !== 0n ? observedTime : nowNs,
      line: lineOf(formatOf(record), record, rest(record.attributes), rest(record.resource.attributes)),
    });
  }
  return [...streams.values()];
}

function labelsOf(record: LogObject, defaults: DefaultLabels) {
  const attributes = new Map(record.attributes);
  const resource = new Map(record.resource.attributes);
  const labels = new Map<string, string>();
  const promoted = new Set<string>();
  const text = (value: AttributeValue | undefined) => (value === undefined ? '' : labelValue(value));
  const service = text(resource.get('service.name'));
  const namespace = text(resource.get('service.namespace'));
  const instance = text(resource.get('service.instance.id'));
  if (defaults.exporter) labels.set('exporter', 'OTLP');
  if (defaults.job && service !== '') labels.set('job', namespace === '' ? service : `${namespace}/${service}`);
  if (defaults.instance && instance !== '') labels.set('instance', instance);
  const promote = (from: ReadonlyMap<string, AttributeValue>, hint: AttributeValue | undefined) => {
    for (const name of names(hint)) {
      const value = from.get(name) ?? nested(from, name);
      const label = prometheusLabelName(name, 'UnderscoreEscapingWithSuffixes');
      if (value === undefined || label === undefined) continue;
      labels.set(label, labelValue(value));
      promoted.add(name);
    }
  };
  promote(resource, resource.get(HINT_RESOURCES));
  promote(resource, attributes.get(HINT_RESOURCES));
  promote(attributes, attributes.get(HINT_ATTRIBUTES));
  // The level is an attribute that everybody has, so to say: one of that name is not overwritten.
  if (defaults.level && record.severityNumber > 0) {
    labels.set('level', text(attributes.get('level')) || levelName(record.severityNumber));
    promoted.add('level');
  }
  const hint = resource.get(HINT_TENANT);
  const from = hint === undefined ? attributes : resource;
  const tenantHint = hint ?? attributes.get(HINT_TENANT);
  promote(from, tenantHint);
  const tenant =
    names(tenantHint)
      .map((name) => text(from.get(name)))
      .find((value) => value !== '') ?? '';
  return { labels, promoted, tenant };
}

function names(hint: AttributeValue | undefined): string[] {
  if (hint === undefined || hint === null) return [];
  const parts = Array.isArray(hint) ? (hint as AttributeValue[]).map(labelValue) : labelValue(hint).split(',');
  return parts.map((part) => part.trim()).filter((part) => part !== '');
}

/** The value of `a.b` within the map `a`. */
function nested(attributes: ReadonlyMap<string, AttributeValue>, path: string): AttributeValue | undefined {
  const dot = path.indexOf('.');
  const value = attributes.get(dot < 0 ? path : path.slice(0, dot));
  if (dot < 0 || value === undefined) return value;
  if (typeof value !== 'object' || value === null || !('entries' in value) || Array.isArray(value)) return undefined;
  return nested(new Map((value as { entries: readonly AttributeEntry[] }).entries), path.slice(dot + 1));
}

function levelName(severityNumber: number): string {
  const name = SEVERITIES[Math.floor((severityNumber - 1) / 4)] ?? 'FATAL';
  const step = (severityNumber - 1) % 4;
  return step === 0 ? name : `${name}${step + 1}`;
}

function formatOf({ attributes, resource }: LogObject): LineFormat {
  const hint =
    resource.attributes.find(([key]) => key === HINT_FORMAT) ?? attributes.find(([key]) => key === HINT_FORMAT);
  const named = hint === undefined ? undefined : labelValue(hint[1]);
  return LINE_FORMATS.find((format) => format === named) ?? 'json';
}

function printed(labels: ReadonlyMap<string, string>): string {
  const sorted = [...labels].sort(([a], [b]) => (a < b ? -1 : 1));
  return `{${sorted.map(([name, value]) => `${name}=${JSON.stringify(value)}`).join(', ')}}`;
}
