import { SignalboxError } from '../pipeline/signalbox-error.ts';
import type { Connection } from './connection.ts';

function refuse(): Promise<never> {
  return Promise.reject(
    new SignalboxError('unavailable', 'Nothing is kept here: the configuration has no clickhouse exporter', {
      retryable: false,
      hint: 'Add clickhouse to the exporters and to the pipelines whose records are to be kept and shown.',
    }),
  );
}

/** What stands for the store in a process that only hands records on: every question is answered with why there is no answer. */
export const noConnection: Connection = {
  query: refuse,
  queryColumns: refuse,
  insert: refuse,
  command: refuse,
  version: () => undefined,
  changedSince: () => Number.NEGATIVE_INFINITY,
  metricsSince: () => undefined,
  recentPoints: () => undefined,
  close: () => Promise.resolve(),
};
