import { LogList } from '../logs/log-list.tsx';

/** The logs of the whole trace, of all its services, in order. */
export function TraceLogs({ traceId }: { traceId: string }) {
  return <LogList traceId={traceId} />;
}
