import { Button } from '@mantine/core';
import type { LogSearchResponse } from '@signalbox/api-contract';
import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { apiGet } from '../data/api-client.ts';
import { formatCount } from '../data/format.ts';
import { EmptyState, ErrorState, RowsSkeleton } from '../shell/page-states.tsx';
import styles from './log-list.module.css';
import { LogRow } from './log-row.tsx';

const limit = 1000;

/** The logs of a trace or of one of its spans, oldest first, as a story is told. All time: a trace's logs are wherever its id is. */
export function LogList({
  traceId,
  spanId,
  onWhole,
}: {
  traceId: string;
  spanId?: string;
  onWhole?: (() => void) | undefined;
}) {
  const answer = useQuery({
    queryKey: ['trace-logs', traceId, spanId],
    queryFn: ({ signal }) =>
      apiGet<LogSearchResponse>('logs', { traceId, spanId, limit, start: '0', end: 'now' }, signal),
    staleTime: 3000,
  });
  if (answer.isError && !answer.data)
    return <ErrorState error={answer.error} what="The logs" onRetry={() => void answer.refetch()} />;
  if (!answer.data) return <RowsSkeleton rows={6} />;
  const { logs, total } = answer.data;
  if (logs.length === 0)
    return (
      <EmptyState title={spanId ? 'This span wrote no logs' : 'This trace has no logs'}>
        {spanId
          ? 'Log records carry the span that was active when they were written.'
          : 'No log record carries this trace id.'}
        {onWhole ? (
          <div>
            <Button size="compact-sm" variant="default" mt={10} onClick={onWhole}>
              Logs of the whole trace
            </Button>
          </div>
        ) : null}
      </EmptyState>
    );
  return (
    <div className={styles.list}>
      <div className={styles.head}>
        <span className="muted">
          {logs.length < total
            ? `The last ${formatCount(logs.length)} of ${formatCount(total)}`
            : `${formatCount(total)} ${total === 1 ? 'record' : 'records'}`}
          , oldest first
        </span>
        <Link to="/logs" search={{ traceId, spanId }}>
          Open in Logs
        </Link>
      </div>
      <div className={styles.scroller}>
        {[...logs].reverse().map((log) => (
          <LogRow key={log.id} log={log} inTrace />
        ))}
      </div>
    </div>
  );
}
