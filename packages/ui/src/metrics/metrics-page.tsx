import { TextInput } from '@mantine/core';
import type { MetricDescription, MetricsResponse } from '@signalbox/api-contract';
import { IconSearch } from '@tabler/icons-react';
import { useVirtualizer } from '@tanstack/react-virtual';
import { useEffect, useMemo, useRef } from 'react';
import { kindLabel } from '../data/metric-choice.ts';
import type { MetricsSearch } from '../data/url-state.ts';
import { EmptyState, ErrorState, NoDataYet, RowsSkeleton } from '../shell/page-states.tsx';
import { useApi } from '../shell/use-api.ts';
import { useRowKeys } from '../shell/use-row-keys.ts';
import { useSearchState } from '../shell/use-search-state.ts';
import { MetricView } from './metric-view.tsx';
import styles from './metrics-page.module.css';

export function MetricsPage() {
  const [search, update] = useSearchState<MetricsSearch>();
  const answer = useApi<MetricsResponse>('metrics');
  const metrics = answer.data?.metrics;
  const found = useMemo(() => filterMetrics(metrics ?? [], search.search ?? ''), [metrics, search.search]);
  const chosen = metrics?.find(
    ({ name, type }) => name === search.name && (search.type === undefined || search.type === type),
  );

  const choose = (metric: MetricDescription) => {
    const ambiguous = (metrics ?? []).filter(({ name }) => name === metric.name).length > 1;
    update({
      name: metric.name,
      type: ambiguous ? metric.type : undefined,
      function: undefined,
      aggregation: undefined,
      by: undefined,
      filter: undefined,
    });
  };

  if (answer.isError && !metrics)
    return <ErrorState error={answer.error} what="The metrics" onRetry={() => void answer.refetch()} />;
  if (metrics?.length === 0) return <NoDataYet what="metrics in this time range" />;
  return (
    <div className={styles.layout}>
      <aside className={styles.side} aria-label="Metrics">
        <div className={styles.find}>
          <TextInput
            size="xs"
            data-page-search
            aria-label="Metrics whose name, unit, kind or description contains"
            placeholder={metrics ? `Find one of ${metrics.length} metrics` : 'Find a metric'}
            leftSection={<IconSearch size={14} stroke={1.8} />}
            value={search.search ?? ''}
            onChange={(event) => update({ search: event.currentTarget.value || undefined }, { replace: true })}
          />
        </div>
        {metrics ? (
          found.length ? (
            <MetricList metrics={found} chosen={chosen} onChoose={choose} />
          ) : (
            <EmptyState title="No metric matches" />
          )
        ) : (
          <RowsSkeleton rows={12} height={30} />
        )}
      </aside>
      <section className={styles.main} aria-label="Chart">
        {chosen ? (
          <MetricView key={`${chosen.name} ${chosen.type}`} metric={chosen} />
        ) : metrics ? (
          <EmptyState title={search.name ? `${search.name} sent nothing in this time range` : 'Choose a metric'}>
            {search.name
              ? 'Choose a longer range or another metric.'
              : 'Names, kinds and units are as they were sent. The keys j, k and Enter work too.'}
          </EmptyState>
        ) : (
          <RowsSkeleton rows={8} height={40} />
        )}
      </section>
    </div>
  );
}

function filterMetrics(metrics: readonly MetricDescription[], search: string): MetricDescription[] {
  const words = search.toLowerCase().split(/\s+/).filter(Boolean);
  return metrics.filter((metric) => {
    const text =
      `${metric.name} ${metric.unit} ${kindLabel(metric)} ${metric.type} ${metric.description} ${metric.services.join(' ')}`.toLowerCase();
    return words.every((word) => text.includes(word));
  });
}

function MetricList({
  metrics,
  chosen,
  onChoose,
}: {
  metrics: readonly MetricDescription[];
  chosen: MetricDescription | undefined;
  onChoose: (metric: MetricDescription) => void;
}) {
  const scroller = useRef<HTMLDivElement>(null);
  const virtualizer = useVirtualizer({
    count: metrics.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => 44,
    overscan: 10,
  });
  const { selected } = useRowKeys(
    metrics.length,
    (index) => {
      const metric = metrics[index];
      if (metric) onChoose(metric);
    },
    (index) => virtualizer.scrollToIndex(index, { align: 'auto' }),
  );
  const at = chosen ? metrics.indexOf(chosen) : -1;
  const first = useRef(true);
  useEffect(() => {
    if (first.current && at >= 0) virtualizer.scrollToIndex(at, { align: 'center' });
    first.current = false;
  }, [at, virtualizer]);
  return (
    <div ref={scroller} className={styles.list}>
      <div style={{ height: virtualizer.getTotalSize(), position: 'relative' }}>
        {virtualizer.getVirtualItems().map((item) => {
          const metric = metrics[item.index];
          if (!metric) return null;
          return (
            <button
              key={`${metric.name} ${metric.type}`}
              type="button"
              className={styles.metric}
              data-testid="metric-row"
              data-selected={item.index === selected || undefined}
              aria-current={metric === chosen}
              style={{ transform: `translateY(${item.start}px)` }}
              onClick={() => onChoose(metric)}
              title={metric.description || undefined}
            >
              <span className={`${styles.name} truncate`}>{metric.name}</span>
              <span className={styles.note}>
                <span>{kindLabel(metric)}</span>
                {metric.unit ? <span className="mono">{metric.unit}</span> : null}
                <span className="truncate">
                  {metric.services.length > 1 ? `${metric.services.length} services` : metric.services[0]}
                </span>
              </span>
            </button>
          );
        })}
      </div>
    </div>
  );
}
