import type { TraceSearchResponse } from '@signalbox/api-contract';
import { Link } from '@tanstack/react-router';
import { useApi } from '../shell/use-api.ts';

export function TracesPage() {
  const answer = useApi<TraceSearchResponse>('traces');
  return (
    <div className="page">
      {answer.data?.traces.map((trace) => (
        <Link key={trace.traceId} to="/traces/$traceId" params={{ traceId: trace.traceId }} data-testid="trace-row">
          {trace.rootName}
        </Link>
      ))}
    </div>
  );
}
