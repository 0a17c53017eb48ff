import type { OperationsResponse } from '@signalbox/api-contract';
import { Link } from '@tanstack/react-router';
import { useMemo } from 'react';
import { formatDuration, formatRate } from '../data/format.ts';
import type { ServiceSearch } from '../data/url-state.ts';
import { EmptyState } from '../shell/page-states.tsx';
import { useRowKeys } from '../shell/use-row-keys.ts';
import { useSearchState } from '../shell/use-search-state.ts';
import { Sparkline } from '../time/sparkline.tsx';
import styles from './service-page.module.css';
import { ErrorRatio, SortHeader, sortByRed } from './service-table.tsx';

export function OperationTable({
  service,
  operations,
}: {
  service: string;
  operations: OperationsResponse['operations'];
}) {
  const [search, update] = useSearchState<ServiceSearch>();
  const { sort = 'rate', direction, search: find = '' } = search;
  const rows = useMemo(() => {
    const wanted = find.trim().toLowerCase();
    const found = wanted ? operations.filter(({ name }) => name.toLowerCase().includes(wanted)) : operations;
    return sortByRed(found, sort, direction ?? (sort === 'name' ? 'asc' : 'desc'));
  }, [operations, find, sort, direction]);
  const chosen = (name: string, kind: string) =>
    search.operation === name && (search.kind === undefined || search.kind === kind);
  const choose = (index: number) => {
    const row = rows[index];
    if (!row) return;
    update(
      chosen(row.name, row.kind) ? { operation: undefined, kind: undefined } : { operation: row.name, kind: row.kind },
    );
  };
  const { selected } = useRowKeys(rows.length, choose);
  if (rows.length === 0) return <EmptyState title="No operation has a name like that" />;
  return (
    <div className="card">
      <table className="table">
        <thead>
          <tr>
            <SortHeader column="name">Operation</SortHeader>
            <SortHeader column="rate" align="right" width="8%">
              Rate
            </SortHeader>
            <th style={{ width: '13%' }} aria-label="Rate over time" />
            <SortHeader column="errors" align="right" width="8%">
              Errors
            </SortHeader>
            <SortHeader column="p50" align="right" width="7.5%">
              p50
            </SortHeader>
            <SortHeader column="p95" align="right" width="7.5%">
              p95
            </SortHeader>
            <th style={{ width: '13%' }} aria-label="p95 over time" />
            <th style={{ width: 110 }} aria-label="Traces of the operation" />
          </tr>
        </thead>
        <tbody>
          {rows.map(({ name, kind, red, sparkline }, index) => (
            <tr
              key={`${kind} ${name}`}
              data-testid="operation-row"
              aria-selected={index === selected || chosen(name, kind)}
              onClick={() => choose(index)}
            >
              <td>
                <span className={styles.name}>
                  <span className="truncate" style={{ fontWeight: 550 }} title={name}>
                    {name || '(no name)'}
                  </span>
                  <span className={styles.kind}>{kind.toLowerCase()}</span>
                </span>
              </td>
              <td className="num">{formatRate(red.rate)}</td>
              <td>
                <Sparkline values={sparkline.rate} color="var(--info-fill)" width={88} label="Rate over time" />
              </td>
              <td className="num">
                <ErrorRatio red={red} />
              </td>
              <td className="num">{formatDuration(red.durationMs?.p50)}</td>
              <td className="num">{formatDuration(red.durationMs?.p95)}</td>
              <td>
                <Sparkline values={sparkline.p95} color="var(--accent-fill)" width={88} label="p95 over time" />
              </td>
              <td>
                <span className={styles.links}>
                  {red.errorCount > 0 ? (
                    <Link
                      to="/traces"
                      search={{ service, operation: name, status: 'ERROR' }}
                      onClick={(event) => event.stopPropagation()}
                    >
                      Failed
                    </Link>
                  ) : null}
                  <Link to="/traces" search={{ service, operation: name }} onClick={(event) => event.stopPropagation()}>
                    Traces
                  </Link>
                </span>
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
