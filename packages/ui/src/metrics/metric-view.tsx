import { MultiSelect, SegmentedControl, Select, Skeleton, useComputedColorScheme } from '@mantine/core';
import type {
  ExemplarsResponse,
  MetricAggregation,
  MetricDescription,
  MetricLabelsResponse,
  MetricQueryResponse,
} from '@signalbox/api-contract';
import { useMemo, useState } from 'react';
import { FilterBar } from '../attributes/filter-bar.tsx';
import { formatCount } from '../data/format.ts';
import { axisSteps, axisTitle, functionFormatter } from '../data/format-unit.ts';
import {
  aggregationsFor,
  figuresOf,
  functionLabels,
  functionsFor,
  kindLabel,
  seriesLabel,
  thinExemplars,
} from '../data/metric-choice.ts';
import { seriesColor, serviceColor } from '../data/service-color.ts';
import { resolveRange } from '../data/time-range.ts';
import type { MetricsSearch } from '../data/url-state.ts';
import { EmptyState, ErrorState } from '../shell/page-states.tsx';
import { useApi } from '../shell/use-api.ts';
import { useSearchState } from '../shell/use-search-state.ts';
import { type ChartSeries, TimeSeriesChart } from '../time/time-series-chart.tsx';
import { useTime } from '../time/use-time.ts';
import { ExemplarDots } from './exemplar-dots.tsx';
import { MetricLegend } from './metric-legend.tsx';
import styles from './metrics-page.module.css';

const height = 340;

export function MetricView({ metric }: { metric: MetricDescription }) {
  const [search, update] = useSearchState<MetricsSearch>();
  const { range, zoom } = useTime();
  const dark = useComputedColorScheme('light', { getInitialValueInEffect: false }) === 'dark';
  const functions = functionsFor(metric);
  const fn = search.function && functions.includes(search.function) ? search.function : (functions[0] ?? 'value');
  const aggregations = aggregationsFor(metric.type, fn);
  const aggregation =
    search.aggregation && aggregations.includes(search.aggregation) ? search.aggregation : aggregations[0];
  const by = search.by ?? [];
  const stepMs = useMemo(() => chartStep(range), [range]);
  const answer = useApi<MetricQueryResponse>('metrics/query', {
    name: metric.name,
    type: metric.type,
    function: fn,
    aggregation,
    groupBy: by,
    filter: search.filter,
    stepMs,
    limit: 50,
  });
  const labels = useApi<MetricLabelsResponse>('metrics/labels', { name: metric.name }, { live: false });
  const exemplars = useApi<ExemplarsResponse>('metrics/exemplars', {
    name: metric.name,
    filter: search.filter,
    // The newest come first: fewer would all be of the last minute.
    limit: 500,
  });
  const [hidden, setHidden] = useState<ReadonlySet<string>>(() => new Set());
  const [focused, setFocused] = useState<string | null>(null);

  const format = useMemo(() => functionFormatter(metric.unit, metric.type, fn), [metric.unit, metric.type, fn]);
  const series = useMemo(() => {
    const all = answer.data?.series ?? [];
    return all.map((one, index): ChartSeries => {
      const id = JSON.stringify(one.labels);
      const service = Object.keys(one.labels).length === 1 ? one.labels['service.name'] : undefined;
      return {
        id,
        label: seriesLabel(one.labels, metric.name),
        color: service === undefined ? seriesColor(index, dark) : serviceColor(service, dark),
        values: one.values,
        fill: all.length === 1,
      };
    });
  }, [answer.data, dark, metric.name]);
  const shown = useMemo(() => series.filter(({ id }) => !hidden.has(id)), [series, hidden]);
  const histogram = metric.type === 'histogram' || metric.type === 'exponential_histogram';
  // Their values are of the axis only where the axis shows the measured thing itself.
  const sameAxis = !['rate', 'increase'].includes(fn);
  const dots = useMemo(() => thinExemplars(exemplars.data?.exemplars ?? [], 48), [exemplars.data]);
  const room = useMemo(
    () =>
      sameAxis && histogram
        ? roomFor(
            dots.map(({ value }) => value),
            shown,
          )
        : 0,
    [dots, sameAxis, histogram, shown],
  );
  const empty = answer.data !== undefined && series.every(({ values }) => values.every((value) => value === null));

  return (
    <>
      <header className={styles.head}>
        <h1>{metric.name}</h1>
        <span className={styles.tag}>{kindLabel(metric)}</span>
        {metric.unit ? <span className={`${styles.tag} mono`}>{metric.unit}</span> : null}
        {metric.temporality ? <span className={styles.tag}>{metric.temporality}</span> : null}
      </header>
      <p className={styles.description}>
        {metric.description || <span className="muted">No description was sent.</span>}
      </p>
      <div className={styles.controls}>
        {functions.length > 1 ? (
          functions.length <= 4 ? (
            <SegmentedControl
              size="xs"
              value={fn}
              onChange={(value) => update({ function: functions.find((one) => one === value) })}
              data={functions.map((value) => ({ value, label: functionLabels[value] }))}
              aria-label="Function"
            />
          ) : (
            <SegmentedControl
              size="xs"
              value={fn}
              onChange={(value) => update({ function: functions.find((one) => one === value) })}
              data={functions.map((value) => ({
                value,
                label: value.startsWith('p') ? value : (functionLabels[value].split(' ')[0] ?? value),
              }))}
              aria-label="Function"
            />
          )
        ) : null}
        {aggregations.length > 0 ? (
          <Select
            size="xs"
            w={92}
            aria-label="How series are put together"
            value={aggregation ?? null}
            onChange={(value) =>
              update({ aggregation: aggregations.find((one) => one === (value as MetricAggregation)) })
            }
            data={aggregations.map((value) => ({ value, label: value }))}
            allowDeselect={false}
          />
        ) : null}
        <MultiSelect
          size="xs"
          miw={190}
          aria-label="Group by"
          placeholder={by.length ? '' : 'Group by …'}
          value={by}
          onChange={(value) => update({ by: value.length ? value : undefined })}
          data={[...new Set([...(labels.data?.labels ?? []), ...by])]}
          searchable
          clearable
          clearButtonProps={{ 'aria-label': 'Group by nothing' }}
        />
        <FilterBar
          signal="spans"
          filters={search.filter ?? []}
          onChange={(filter) => update({ filter: filter.length ? filter : undefined })}
          placeholder="Filter, e.g. route = &quot;/checkout&quot;"
          keys={labels.data?.labels}
          metric={metric.name}
          failure={answer.error}
        />
      </div>
      {answer.isError && (!answer.data || answer.isPlaceholderData) ? (
        <ErrorState error={answer.error} what="The chart" onRetry={() => void answer.refetch()} />
      ) : !answer.data ? (
        <Skeleton height={height + 40} radius={8} />
      ) : empty ? (
        <EmptyState title="Nothing was measured in this time range">
          A longer range, or fewer filters, may show something.
        </EmptyState>
      ) : (
        <>
          <section className={`card ${styles.chart}`} style={answer.isPlaceholderData ? { opacity: 0.6 } : undefined}>
            <div className={styles.chartHead}>
              <span>{axisTitle(metric.unit, metric.type, fn) || functionLabels[fn]}</span>
              <span>
                {histogram && dots.length > 0 ? (
                  <>
                    <span className={styles.diamond} aria-hidden="true" />
                    exemplars: a click opens the trace
                  </>
                ) : null}
              </span>
            </div>
            <TimeSeriesChart
              times={answer.data.times}
              series={shown}
              format={format}
              height={height}
              label={`${metric.name}, ${functionLabels[fn]}, over time`}
              include={room}
              steps={fn === 'rate' && histogram ? null : axisSteps(metric.unit)}
              onZoom={zoom}
              focused={focused}
              overlay={
                dots.length > 0
                  ? (scale) => <ExemplarDots exemplars={dots} scale={scale} unit={metric.unit} sameAxis={sameAxis} />
                  : undefined
              }
            />
          </section>
          <MetricLegend
            series={series}
            figures={series.map(({ values }) => figuresOf(values))}
            format={format}
            hidden={hidden}
            onToggle={(id) => setHidden((before) => toggle(before, id))}
            onFocus={setFocused}
          />
          {answer.data.total > answer.data.series.length ? (
            <p className="muted">
              The {formatCount(answer.data.series.length)} largest of {formatCount(answer.data.total)} series.
            </p>
          ) : null}
        </>
      )}
    </>
  );
}

function toggle(before: ReadonlySet<string>, id: string): ReadonlySet<string> {
  const next = new Set(before);
  if (!next.delete(id)) next.add(id);
  return next;
}

/** Room for most exemplars: one that took a hundred times as long must not flatten the lines; it is drawn at the top. */
function roomFor(values: readonly number[], series: readonly ChartSeries[]): number {
  if (values.length === 0) return 0;
  const sorted = [...values].sort((a, b) => a - b);
  const most = sorted[Math.floor((sorted.length - 1) * 0.9)] ?? 0;
  const highest = series.reduce(
    (max, { values: line }) => line.reduce<number>((top, value) => Math.max(top, value ?? 0), max),
    0,
  );
  return highest > 0 ? Math.min(most, highest * 2.5) : most;
}

const steps = [5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200];

/** About 160 points. Not below 15 s for long ranges: that is how often metrics are pushed. */
function chartStep(range: { from: string; to: string }): number {
  const { startMs, endMs } = resolveRange(range, Date.now());
  const seconds = (endMs - startMs) / 1000 / 160;
  return (steps.find((step) => step >= Math.max(seconds, 15)) ?? 10_800) * 1000;
}
