import { Button, TextInput } from '@mantine/core';
import type { OperationsResponse, RedResponse } from '@signalbox/api-contract';
import { IconSearch, IconX } from '@tabler/icons-react';
import { Link, useParams } from '@tanstack/react-router';
import { useMemo } from 'react';
import { formatCompact, formatDuration, formatRate, formatRatio } from '../data/format.ts';
import { resolveRange } from '../data/time-range.ts';
import type { ServiceSearch } from '../data/url-state.ts';
import { EmptyState, ErrorState, RowsSkeleton } from '../shell/page-states.tsx';
import { ServiceLabel } from '../shell/service-label.tsx';
import { useApi } from '../shell/use-api.ts';
import { useSearchState } from '../shell/use-search-state.ts';
import { useTime } from '../time/use-time.ts';
import { OperationTable } from './operation-table.tsx';
import { RedCharts } from './red-charts.tsx';
import styles from './service-page.module.css';

export function ServicePage() {
  const { service } = useParams({ from: '/services/$service' });
  const [search, update] = useSearchState<ServiceSearch>();
  const { operation, kind } = search;
  const { range } = useTime();
  const path = `services/${encodeURIComponent(service)}`;
  // About one point for every eight pixels of a chart.
  const stepMs = useMemo(() => {
    const { startMs, endMs } = resolveRange(range, Date.now());
    return Math.max(10_000, Math.ceil((endMs - startMs) / 60 / 10_000) * 10_000);
  }, [range]);
  const red = useApi<RedResponse>(`${path}/red`, { operation, kind, stepMs });
  const operations = useApi<OperationsResponse>(`${path}/operations`);
  const figures = red.data?.red;
  const p95 = figures?.durationMs?.p95;
  const slow = p95 === undefined ? undefined : `${Number(p95.toPrecision(2))}ms`;

  return (
    <div className="page">
      <div className="page-inner">
        <div className={styles.header}>
          <Link to="/services" className="muted">
            Services
          </Link>
          <span className="muted">/</span>
          <h1 className="page-title">
            <ServiceLabel name={service} strong />
          </h1>
          {operation ? (
            <Button
              size="compact-xs"
              variant="light"
              rightSection={<IconX size={12} />}
              onClick={() => update({ operation: undefined, kind: undefined })}
              aria-label={`All operations instead of ${operation}`}
            >
              <span className={styles.operation}>{operation}</span>
            </Button>
          ) : null}
          <span className="grow" />
          <Button
            size="compact-sm"
            variant="default"
            renderRoot={(props) => <Link to="/traces" search={{ service, operation }} {...props} />}
          >
            Traces
          </Button>
          <Button
            size="compact-sm"
            variant="default"
            renderRoot={(props) => <Link to="/traces" search={{ service, operation, status: 'ERROR' }} {...props} />}
          >
            Failed traces
          </Button>
          {slow ? (
            <Button
              size="compact-sm"
              variant="default"
              title={`Slower than nineteen in twenty: ${slow} or more`}
              renderRoot={(props) => <Link to="/traces" search={{ service, operation, min: slow }} {...props} />}
            >
              Slow traces
            </Button>
          ) : null}
          <Button
            size="compact-sm"
            variant="default"
            renderRoot={(props) => <Link to="/logs" search={{ service }} {...props} />}
          >
            Logs
          </Button>
        </div>
        {red.isError && !red.data ? (
          <ErrorState error={red.error} what="Rate, errors and durations" onRetry={() => void red.refetch()} />
        ) : (
          <>
            <div className={styles.figures}>
              <Figure
                label="Rate"
                value={formatRate(figures?.rate)}
                note={figures ? `${formatCompact(figures.count)} requests` : ''}
              />
              <Figure
                label="Errors"
                value={formatRatio(figures?.errorRatio)}
                note={figures ? `${formatCompact(figures.errorCount)} failed` : ''}
                alert={(figures?.errorCount ?? 0) > 0}
              />
              <Figure label="p50" value={formatDuration(figures?.durationMs?.p50)} />
              <Figure label="p95" value={formatDuration(figures?.durationMs?.p95)} />
              <Figure label="p99" value={formatDuration(figures?.durationMs?.p99)} />
              <Figure label="Longest" value={formatDuration(figures?.durationMs?.max)} />
            </div>
            <RedCharts series={red.data?.series} />
          </>
        )}
        <div className={styles.tableHeader}>
          <h2 className={styles.title}>Operations</h2>
          <span className="muted">Choose one to see only its charts</span>
          <span className="grow" />
          <TextInput
            size="xs"
            w={240}
            data-page-search
            aria-label="Operations whose name contains"
            placeholder="Find an operation"
            leftSection={<IconSearch size={14} stroke={1.8} />}
            value={search.search ?? ''}
            onChange={(event) => update({ search: event.currentTarget.value || undefined }, { replace: true })}
          />
        </div>
        {operations.data ? (
          operations.data.operations.length > 0 ? (
            <OperationTable service={service} operations={operations.data.operations} />
          ) : (
            <EmptyState title="This service sent no spans in this time range">
              <Link to="/logs" search={{ service }}>
                Its logs
              </Link>
            </EmptyState>
          )
        ) : operations.isError ? (
          <ErrorState error={operations.error} what="The operations" onRetry={() => void operations.refetch()} />
        ) : (
          <div className="card">
            <RowsSkeleton />
          </div>
        )}
      </div>
    </div>
  );
}

function Figure({
  label,
  value,
  note,
  alert = false,
}: {
  label: string;
  value: string;
  note?: string;
  alert?: boolean;
}) {
  return (
    <div className={styles.figure}>
      <span className="muted">{label}</span>
      <span className={alert ? `${styles.value} error-text` : styles.value}>{value}</span>
      {note ? <span className={styles.note}>{note}</span> : null}
    </div>
  );
}
