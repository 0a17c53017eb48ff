import type { StatusResponse } from '@signalbox/api-contract';
import { formatAgo, formatBytes, formatCount, formatDuration, unixNanoToMs } from '../data/format.ts';
import { ErrorState, RowsSkeleton } from './page-states.tsx';
import { useApi } from './use-api.ts';

const signals = ['spans', 'logs', 'metrics'] as const;

export function StatusPage() {
  const status = useApi<StatusResponse>('status', {}, { timed: false });
  return (
    <div className="page">
      <div className="page-inner" style={{ maxWidth: 860 }}>
        <h1 className="page-title">This Signalbox</h1>
        {status.data ? (
          <StatusCards status={status.data} />
        ) : status.isError ? (
          <ErrorState error={status.error} what="The state" onRetry={() => void status.refetch()} />
        ) : (
          <RowsSkeleton />
        )}
      </div>
    </div>
  );
}

function StatusCards({ status }: { status: StatusResponse }) {
  const total = signals.reduce((sum, signal) => sum + status.store.signals[signal].bytes, 0);
  return (
    <>
      <p className="muted" style={{ margin: '2px 0 16px' }}>
        Version {status.version}, up {formatDuration(status.uptimeMs)}
        {status.store.kind === 'none' ? (
          '.'
        ) : (
          <>
            , {status.store.kind === 'embedded' ? 'embedded ClickHouse' : 'ClickHouse server'}, {formatBytes(total)} on
            disk{status.store.maxBytes ? ` of at most ${formatBytes(status.store.maxBytes)}` : ''}.
          </>
        )}
      </p>
      {status.store.kind === 'none' ? (
        <p role="status" style={{ margin: '0 0 16px' }}>
          <strong>Nothing is kept here.</strong> The configuration has no <span className="mono">clickhouse</span>{' '}
          exporter: this Signalbox hands records on, and there is nothing to search or show.
        </p>
      ) : null}
      <div className="card" style={{ overflow: 'hidden' }}>
        <table className="table">
          <thead>
            <tr>
              <th>Signal</th>
              <th className="num">Stored</th>
              <th className="num">On disk</th>
              <th className="num" title="No record is older: the start of the six hours that the oldest is in">
                Reaches back
              </th>
              <th className="num">Kept</th>
              <th className="num" title="Since this process started">
                Received
              </th>
              <th className="num">Refused</th>
            </tr>
          </thead>
          <tbody style={{ cursor: 'default' }}>
            {signals.map((signal) => {
              const { rows, bytes, oldest } = status.store.signals[signal];
              const { accepted, rejected } = status.received[signal];
              return (
                <tr key={signal} style={{ cursor: 'default' }}>
                  <td style={{ textTransform: 'capitalize' }}>{signal}</td>
                  <td className="num">{formatCount(rows)}</td>
                  <td className="num">{formatBytes(bytes)}</td>
                  <td className="num">
                    {oldest ? `≤ ${formatAgo(unixNanoToMs(oldest), Date.now()).replace(' ago', '')}` : '–'}
                  </td>
                  <td className="num">{status.store.retention[signal]}</td>
                  <td className="num">{formatCount(accepted)}</td>
                  <td className={`num ${rejected > 0 ? 'error-text' : ''}`}>{formatCount(rejected)}</td>
                </tr>
              );
            })}
          </tbody>
        </table>
      </div>
      <h2 className="section-title" style={{ margin: '24px 0 8px' }}>
        Where to send data
      </h2>
      <p style={{ margin: 0 }}>
        OTLP over HTTP: <span className="mono">{status.endpoints.otlpHttp ?? 'off'}</span>
        <br />
        OTLP over gRPC: <span className="mono">{status.endpoints.otlpGrpc ?? 'off'}</span>
      </p>
    </>
  );
}
