import type { ServiceSummary } from '@signalbox/api-contract';
import { IconAlertTriangleFilled, IconArrowNarrowDown, IconArrowNarrowUp } from '@tabler/icons-react';
import { Link, useNavigate } from '@tanstack/react-router';
import { type ReactNode, useMemo } from 'react';
import { formatCompact, formatDuration, formatRate, formatRatio } from '../data/format.ts';
import type { ServiceSortKey, ServicesSearch } from '../data/url-state.ts';
import { EmptyState } from '../shell/page-states.tsx';
import { ServiceLabel } from '../shell/service-label.tsx';
import { useRowKeys } from '../shell/use-row-keys.ts';
import { useSearchState } from '../shell/use-search-state.ts';
import { Sparkline } from '../time/sparkline.tsx';
import styles from './services.module.css';

const redOrder: Record<ServiceSortKey, (item: { name: string; red: ServiceSummary['red'] }) => number | string> = {
  name: ({ name }) => name.toLowerCase(),
  rate: ({ red }) => red.rate,
  errors: ({ red }) => red.errorRatio,
  p50: ({ red }) => red.durationMs?.p50 ?? -1,
  p95: ({ red }) => red.durationMs?.p95 ?? -1,
};

/** Sorted copy; equal items by name, so that a refresh does not shuffle them. */
export function sortByRed<T extends { name: string; red: ServiceSummary['red'] }>(
  items: readonly T[],
  key: ServiceSortKey,
  direction: 'asc' | 'desc',
): T[] {
  const by = redOrder[key];
  const sign = direction === 'asc' ? 1 : -1;
  return [...items].sort((a, b) => {
    const x = by(a);
    const y = by(b);
    return x === y ? (a.name < b.name ? -1 : 1) : x < y ? -sign : sign;
  });
}

export function SortHeader({
  column,
  children,
  align,
  width,
}: {
  column: ServiceSortKey;
  children: ReactNode;
  align?: 'right';
  width?: number | string;
}) {
  const [search, update] = useSearchState<Pick<ServicesSearch, 'sort' | 'direction'>>();
  const natural = column === 'name' ? 'asc' : 'desc';
  const active = search.sort === column;
  const direction = search.direction ?? natural;
  return (
    <th
      className={align === 'right' ? 'num' : undefined}
      style={{ width }}
      aria-sort={active ? (direction === 'asc' ? 'ascending' : 'descending') : 'none'}
    >
      <button
        type="button"
        className="sort"
        onClick={() =>
          update(
            {
              sort: column,
              direction: active && direction === natural ? (natural === 'asc' ? 'desc' : 'asc') : undefined,
            },
            { replace: true },
          )
        }
      >
        {children}
        {active ? direction === 'asc' ? <IconArrowNarrowUp size={13} /> : <IconArrowNarrowDown size={13} /> : null}
      </button>
    </th>
  );
}

export function ErrorRatio({ red }: { red: ServiceSummary['red'] }) {
  if (red.errorCount === 0) return <span className="muted">{red.count > 0 ? formatRatio(0) : '–'}</span>;
  return (
    <span className={styles.errors} title={`${formatCompact(red.errorCount)} of ${formatCompact(red.count)}`}>
      {red.errorRatio >= 0.01 ? <IconAlertTriangleFilled size={11} aria-hidden="true" /> : null}
      {formatRatio(red.errorRatio)}
    </span>
  );
}

export function ServiceTable({ services, find }: { services: readonly ServiceSummary[]; find: string }) {
  const [search] = useSearchState<ServicesSearch>();
  const navigate = useNavigate();
  const { sort = 'name', direction } = search;
  const rows = useMemo(() => {
    const wanted = find.trim().toLowerCase();
    const found = wanted ? services.filter(({ name }) => name.toLowerCase().includes(wanted)) : services;
    return sortByRed(found, sort, direction ?? (sort === 'name' ? 'asc' : 'desc'));
  }, [services, find, sort, direction]);
  const open = (name: string) => void navigate({ to: '/services/$service', params: { service: name } });
  const { selected } = useRowKeys(rows.length, (index) => {
    const row = rows[index];
    if (row) open(row.name);
  });
  if (rows.length === 0) return <EmptyState title="No service has a name like that" />;
  return (
    <div className="card">
      <table className="table">
        <thead>
          <tr>
            <SortHeader column="name">Service</SortHeader>
            <SortHeader column="rate" align="right" width="8%">
              Rate
            </SortHeader>
            <th style={{ width: '15%' }} aria-label="Rate over time" />
            <SortHeader column="errors" align="right" width="8%">
              Errors
            </SortHeader>
            <th style={{ width: '15%' }} aria-label="Errors over time" />
            <SortHeader column="p50" align="right" width="8%">
              p50
            </SortHeader>
            <SortHeader column="p95" align="right" width="8%">
              p95
            </SortHeader>
            <th style={{ width: '15%' }} aria-label="p95 over time" />
          </tr>
        </thead>
        <tbody>
          {rows.map(({ name, red, sparkline }, index) => (
            <tr key={name} data-testid="service-row" aria-selected={index === selected} onClick={() => open(name)}>
              <td>
                <Link
                  to="/services/$service"
                  params={{ service: name }}
                  className={styles.nameLink}
                  onClick={(event) => event.stopPropagation()}
                >
                  <ServiceLabel name={name} strong />
                </Link>
              </td>
              <td className="num">{red.count > 0 ? formatRate(red.rate) : <span className="muted">–</span>}</td>
              <td>
                <Sparkline values={sparkline.rate} color="var(--info-fill)" label="Rate over time" />
              </td>
              <td className="num">
                <ErrorRatio red={red} />
              </td>
              <td>
                <Sparkline
                  values={sparkline.errorRatio}
                  color="var(--error-fill)"
                  max={0.02}
                  label="Error ratio over time"
                />
              </td>
              <td className="num">{formatDuration(red.durationMs?.p50)}</td>
              <td className="num">{formatDuration(red.durationMs?.p95)}</td>
              <td>
                <Sparkline values={sparkline.p95} color="var(--accent-fill)" label="p95 over time" />
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
