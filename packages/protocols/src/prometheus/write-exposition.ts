import { formatFloat } from './format-float.ts';
import type { Labels, PrometheusExemplar, PrometheusFamily, PrometheusValue } from './translate-metrics.ts';

export interface ExposedSeries {
  readonly labels: Labels;
  readonly value: PrometheusValue;
  readonly exemplars: readonly PrometheusExemplar[];
  /** Milliseconds since 1970; null: the scraper's time counts. */
  readonly timeMs: number | null;
}

/** A family of the text format; nothing is known of one that is untyped. */
export interface ShownFamily extends Omit<PrometheusFamily, 'type'> {
  readonly type: PrometheusFamily['type'] | 'untyped';
}

export interface ExposedFamily {
  readonly family: ShownFamily;
  readonly series: readonly ExposedSeries[];
  /** There were series of it before, with its header. */
  readonly goesOn?: boolean;
}

export interface ExpositionFormat {
  /** OpenMetrics 1.0, else Prometheus's text format 0.0.4. */
  readonly openMetrics: boolean;
  /** The reader said that it takes names of any characters; otherwise they are escaped with underscores. */
  readonly utf8Names: boolean;
}

/** OpenMetrics 1.0, "Exemplars": the labels of one have at most so many characters together. */
const MAX_EXEMPLAR_CHARACTERS = 128;

const METRIC_NAME = /^[a-zA-Z_:][a-zA-Z0-9_:]*$/;
const LABEL_NAME = /^[a-zA-Z_][a-zA-Z0-9_]*$/;

/** The text that a scrape reads. */
export function writeExposition(families: readonly ExposedFamily[], format: ExpositionFormat): string {
  const lines: string[] = [];
  for (const { family, series, goesOn } of families) {
    const writer = new FamilyWriter(lines, family, format);
    if (!goesOn) writer.header();
    for (const one of series) writer.series(one);
  }
  if (format.openMetrics) lines.push('# EOF\n');
  return lines.join('');
}

class FamilyWriter {
  readonly #lines: string[];
  readonly #family: ShownFamily;
  readonly #format: ExpositionFormat;

  constructor(lines: string[], family: ShownFamily, format: ExpositionFormat) {
    this.#lines = lines;
    this.#family = family;
    this.#format = format;
  }

  header(): void {
    const { type, help, unit } = this.#family;
    const { openMetrics } = this.#format;
    const isTarget = openMetrics && /(^|_)target_info$/.test(this.#family.name);
    const base = isTarget ? this.#family.name.replace(/_info$/, '') : this.#baseName();
    const name = this.#metricName(base);
    const shown = METRIC_NAME.test(name) ? name : `"${escaped(name, true)}"`;
    if (help !== '') this.#lines.push(`# HELP ${shown} ${escaped(help, openMetrics)}\n`);
    const shownType = openMetrics && type === 'untyped' ? 'unknown' : type;
    this.#lines.push(`# TYPE ${shown} ${isTarget ? 'info' : shownType}\n`);
    // A unit must be the end of the name (OpenMetrics 1.0, "Unit").
    if (openMetrics && unit !== '' && name.endsWith(`_${unit}`)) this.#lines.push(`# UNIT ${shown} ${unit}\n`);
  }

  series({ labels, value, exemplars, timeMs }: ExposedSeries): void {
    const { name, type } = this.#family;
    switch (value.kind) {
      case 'number': {
        const full = type === 'counter' && this.#format.openMetrics ? `${this.#baseName()}_total` : name;
        this.#line(full, labels, value.value, timeMs, type === 'counter' ? newest(exemplars) : undefined);
        break;
      }
      case 'histogram':
        this.#histogram(labels, value, exemplars, timeMs);
        break;
      case 'native':
        // Text has no place for native buckets: what is left is what client libraries write there.
        this.#line(`${name}_bucket`, [...labels, ['le', '+Inf']], value.count, timeMs, newest(exemplars));
        this.#totals(labels, value, timeMs);
        break;
      case 'summary':
        for (const [quantile, at] of value.quantiles) {
          this.#line(name, [...labels, ['quantile', this.#bound(quantile)]], at, timeMs);
        }
        this.#totals(labels, value, timeMs);
    }
  }

  #histogram(
    labels: Labels,
    value: Extract<PrometheusValue, { kind: 'histogram' }>,
    exemplars: readonly PrometheusExemplar[],
    timeMs: number | null,
  ): void {
    const { name } = this.#family;
    let cumulative = 0;
    let below = Number.NEGATIVE_INFINITY;
    value.bounds.forEach((bound, index) => {
      cumulative += value.counts[index] ?? 0;
      const from = below;
      below = bound;
      const exemplar = newest(exemplars.filter((one) => one.value > from && one.value <= bound));
      this.#line(`${name}_bucket`, [...labels, ['le', this.#bound(bound)]], cumulative, timeMs, exemplar);
    });
    const last = newest(exemplars.filter((one) => one.value > below));
    this.#line(`${name}_bucket`, [...labels, ['le', '+Inf']], value.count, timeMs, last);
    this.#totals(labels, value, timeMs);
  }

  #totals(labels: Labels, { sum, count }: { sum: number | null; count: number }, timeMs: number | null): void {
    const { name } = this.#family;
    if (sum !== null) this.#line(`${name}_sum`, labels, sum, timeMs);
    this.#line(`${name}_count`, labels, count, timeMs);
  }

  #line(name: string, labels: Labels, value: number, timeMs: number | null, exemplar?: PrometheusExemplar): void {
    const { openMetrics } = this.#format;
    const time = timeMs === null ? '' : ` ${openMetrics ? timeMs / 1000 : timeMs}`;
    const metric = this.#metricName(name);
    const quoted = METRIC_NAME.test(metric) ? [] : [`"${escaped(metric, true)}"`];
    const parts = [...quoted, ...labels.map(([key, text]) => `${this.#labelName(key)}="${escaped(text, true)}"`)];
    const inBraces = parts.length === 0 ? '' : `{${parts.join(',')}}`;
    const tail = openMetrics && exemplar !== undefined ? exemplarText(exemplar) : '';
    this.#lines.push(`${quoted.length === 0 ? metric : ''}${inBraces} ${formatFloat(value)}${time}${tail}\n`);
  }

  /** In OpenMetrics the family of a counter has no `_total`, its samples must have it. */
  #baseName(): string {
    const { name, type } = this.#family;
    return this.#format.openMetrics && type === 'counter' ? name.replace(/_total$/, '') : name;
  }

  #metricName(name: string): string {
    return this.#format.utf8Names || METRIC_NAME.test(name) ? name : name.replace(/^\d|[^a-zA-Z0-9_:]/gu, '_');
  }

  #labelName(name: string): string {
    if (LABEL_NAME.test(name)) return name;
    return this.#format.utf8Names ? `"${escaped(name, true)}"` : name.replace(/^\d|[^a-zA-Z0-9_]/gu, '_');
  }

  /** OpenMetrics wants a point in every bound. */
  #bound(bound: number): string {
    const text = formatFloat(bound);
    return this.#format.openMetrics && /^-?\d+$/.test(text) ? `${text}.0` : text;
  }
}

function newest(exemplars: readonly PrometheusExemplar[]): PrometheusExemplar | undefined {
  return exemplars.reduce<PrometheusExemplar | undefined>(
    (found, one) => (fits(one) && (found === undefined || one.timeMs >= found.timeMs) ? one : found),
    undefined,
  );
}

function fits({ labels }: PrometheusExemplar): boolean {
  return (
    labels.reduce((sum, [name, value]) => sum + [...name].length + [...value].length, 0) <= MAX_EXEMPLAR_CHARACTERS
  );
}

function exemplarText({ labels, value, timeMs }: PrometheusExemplar): string {
  const pairs = labels.map(([name, text]) => `${name.replace(/[^a-zA-Z0-9_]/gu, '_')}="${escaped(text, true)}"`);
  return ` # {${pairs.join(',')}} ${formatFloat(value)}${timeMs === 0 ? '' : ` ${timeMs / 1000}`}`;
}

function escaped(text: string, quotes: boolean): string {
  const once = text.replace(/\\/g, '\\\\').replace(/\n/g, '\\n');
  return quotes ? once.replace(/"/g, '\\"') : once;
}
