import { Button, TextInput } from '@mantine/core';
import type {
  KeyValue,
  LogHistogramResponse,
  LogSearchResponse,
  ServicesResponse,
  Severity,
} from '@signalbox/api-contract';
import { IconPlayerPlay, IconSearch, IconX } from '@tabler/icons-react';
import { useInfiniteQuery } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { useCallback, useEffect, useMemo, useRef, useState } from 'react';
import { FilterBar, ValueField } from '../attributes/filter-bar.tsx';
import { apiGet } from '../data/api-client.ts';
import { filterFor } from '../data/filter-text.ts';
import { formatCount } from '../data/format.ts';
import { shareResources } from '../data/share-resources.ts';
import { resolveRange } from '../data/time-range.ts';
import { findTraceId, type LogsSearch, logParameters, severities } from '../data/url-state.ts';
import { EmptyState, ErrorState, NoDataYet, RowsSkeleton } from '../shell/page-states.tsx';
import { useApi } from '../shell/use-api.ts';
import { useSearchState } from '../shell/use-search-state.ts';
import { useTime } from '../time/use-time.ts';
import { LogHistogram } from './log-histogram.tsx';
import { LogTail } from './log-tail.tsx';
import styles from './logs-page.module.css';
import { VirtualLogs } from './virtual-logs.tsx';

const pageSize = 500;
const nothing = {
  q: undefined,
  service: undefined,
  severity: undefined,
  filter: undefined,
  traceId: undefined,
  spanId: undefined,
} satisfies LogsSearch;

export function LogsPage() {
  const [search, update] = useSearchState<LogsSearch>();
  const onFilter = useCallback(
    (attribute: KeyValue, scope: '' | 'resource.', negate: boolean) => {
      const filter = filterFor(attribute.key, attribute.value, scope, negate);
      update({ filter: [...(search.filter ?? []).filter((one) => one !== filter), filter] });
    },
    [update, search.filter],
  );
  const [failure, setFailure] = useState<unknown>(null);
  return (
    <div className="page-fixed">
      <SearchForm failure={failure} />
      {search.live ? <LogTail onFilter={onFilter} /> : <StoredLogs onFilter={onFilter} onFailure={setFailure} />}
    </div>
  );
}

type OnFilter = (attribute: KeyValue, scope: '' | 'resource.', negate: boolean) => void;

function StoredLogs({ onFilter, onFailure }: { onFilter: OnFilter; onFailure: (error: unknown) => void }) {
  const [search, update] = useSearchState<LogsSearch>();
  const { range, refreshMs, zoom, setRange } = useTime();
  const parameters = logParameters(search);
  const stepMs = useMemo(() => histogramStep(range), [range]);
  const histogram = useApi<LogHistogramResponse>('logs/histogram', { ...parameters, stepMs });
  const resources = useRef(new Map<string, KeyValue[]>());
  const answer = useInfiniteQuery({
    queryKey: ['logs', parameters, range],
    queryFn: async ({ pageParam, signal }) => {
      const page = await apiGet<LogSearchResponse>(
        'logs',
        { ...parameters, start: range.from, end: range.to, limit: pageSize, cursor: pageParam ?? undefined },
        signal,
      );
      return { ...page, logs: shareResources(page.logs, resources.current) };
    },
    initialPageParam: null as string | null,
    getNextPageParam: (last) => last.nextCursor,
    placeholderData: (before) => before,
    // Who has scrolled down reads: the list must not move then.
    refetchInterval: ({ state }) => ((state.data?.pages.length ?? 0) > 1 ? false : refreshMs || false),
  });
  useEffect(() => onFailure(answer.error), [onFailure, answer.error]);
  const logs = useMemo(() => answer.data?.pages.flatMap((page) => page.logs) ?? [], [answer.data]);
  const total = answer.data?.pages[0]?.total ?? 0;
  const narrowed = Object.keys(nothing).some((key) => search[key as keyof typeof nothing] !== undefined);
  const resolved = resolveRange(range, histogram.dataUpdatedAt || Date.now());
  const ever = useApi<ServicesResponse>(
    'services',
    { start: 'now-7d', end: 'now' },
    { timed: false, enabled: answer.data !== undefined && logs.length === 0 && !narrowed },
  );

  return (
    <>
      <LogHistogram
        histogram={histogram.data}
        startMs={resolved.startMs}
        endMs={resolved.endMs}
        chosen={search.severity}
        onZoom={zoom}
        onSeverity={(severity) => update({ severity: toggled(search.severity, severity) })}
      />
      {answer.isError && (!answer.data || answer.isPlaceholderData) ? (
        <ErrorState error={answer.error} what="The logs" onRetry={() => void answer.refetch()} />
      ) : !answer.data ? (
        <RowsSkeleton rows={14} height={18} />
      ) : logs.length === 0 ? (
        narrowed ? (
          <EmptyState title="No log record matches in this time range">
            <Button size="xs" variant="default" onClick={() => update(nothing)} mt={6}>
              Remove all filters
            </Button>
          </EmptyState>
        ) : ever.data?.services.length === 0 ? (
          <NoDataYet what="logs" />
        ) : (
          <EmptyState title="No logs in this time range">
            <Button size="xs" variant="default" onClick={() => setRange({ from: 'now-7d', to: 'now' })} mt={6}>
              Look at the last 7 days
            </Button>
          </EmptyState>
        )
      ) : (
        <>
          <div className={styles.summary} aria-live="polite">
            <b>{formatCount(total)}</b> {total === 1 ? 'record' : 'records'}, newest first
            {logs.length < total ? <span className="muted"> · {formatCount(logs.length)} loaded</span> : null}
          </div>
          <VirtualLogs
            logs={logs}
            faded={answer.isPlaceholderData}
            open={search.open}
            onOpen={(open) => update({ open }, { replace: true })}
            onFilter={onFilter}
            onEnd={answer.hasNextPage && !answer.isFetchingNextPage ? () => void answer.fetchNextPage() : undefined}
            loadingMore={answer.isFetchingNextPage}
          />
        </>
      )}
    </>
  );
}

function toggled(chosen: readonly Severity[] | undefined, severity: Severity): Severity[] | undefined {
  const next = chosen?.includes(severity) ? chosen.filter((one) => one !== severity) : [...(chosen ?? []), severity];
  return next.length ? next : undefined;
}

const steps = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10_800, 21_600, 43_200, 86_400];

/** Round steps, so that bars do not change their meaning at each refresh; about a hundred of them. */
function histogramStep(range: { from: string; to: string }): number {
  const { startMs, endMs } = resolveRange(range, Date.now());
  const seconds = (endMs - startMs) / 1000 / 110;
  return (steps.find((step) => step >= seconds) ?? 86_400) * 1000;
}

function SearchForm({ failure }: { failure: unknown }) {
  const [search, update] = useSearchState<LogsSearch>();
  const navigate = useNavigate();
  const services = useApi<ServicesResponse>('services', {}, { live: false });
  const [words, setWords] = useState(search.q ?? '');
  useEffect(() => setWords(search.q ?? ''), [search.q]);
  const openTrace = (text: string) => {
    const traceId = findTraceId(text);
    if (!traceId) return false;
    void navigate({ to: '/traces/$traceId', params: { traceId } });
    return true;
  };
  const set = Object.keys(nothing).some((key) => search[key as keyof typeof nothing] !== undefined);
  return (
    <form
      className={styles.form}
      aria-label="Search logs"
      onSubmit={(event) => {
        event.preventDefault();
        if (!openTrace(words)) update({ q: words.trim() || undefined });
      }}
    >
      <TextInput
        size="xs"
        className={styles.words}
        data-page-search
        aria-label={'Words in the body; "a phrase" in quotes, -word for without'}
        placeholder={'Words, "a phrase", -without'}
        leftSection={<IconSearch size={14} stroke={1.8} />}
        value={words}
        spellCheck={false}
        onChange={(event) => setWords(event.currentTarget.value)}
        onPaste={(event) => {
          if (openTrace(event.clipboardData.getData('text'))) event.preventDefault();
        }}
        onBlur={() => {
          if (words.trim() !== (search.q ?? '') && !findTraceId(words)) update({ q: words.trim() || undefined });
        }}
      />
      <ValueField
        label="Service"
        value={search.service ?? ''}
        values={services.data?.services.map(({ name }) => name) ?? []}
        width={150}
        onChange={(service) => update({ service })}
      />
      <fieldset className={styles.severities}>
        <legend className="visually-hidden">Severity</legend>
        {severities
          .filter((severity) => severity !== 'UNSPECIFIED')
          .map((severity) => (
            <button
              key={severity}
              type="button"
              className={styles.severity}
              data-severity={severity}
              aria-pressed={search.severity?.includes(severity) ?? false}
              onClick={() => update({ severity: toggled(search.severity, severity) })}
            >
              {severity}
            </button>
          ))}
      </fieldset>
      <FilterBar
        signal="logs"
        filters={search.filter ?? []}
        onChange={(filter) => update({ filter: filter.length ? filter : undefined })}
        onOther={openTrace}
        failure={failure}
        placeholder="Filter by attribute, e.g. status >= 500"
      />
      {search.traceId ? (
        <Button
          size="compact-xs"
          variant="light"
          rightSection={<IconX size={12} />}
          onClick={() => update({ traceId: undefined, spanId: undefined })}
          aria-label="Logs of all traces"
        >
          {search.spanId ? `span ${search.spanId.slice(0, 8)}…` : `trace ${search.traceId.slice(0, 8)}…`}
        </Button>
      ) : null}
      {set ? (
        <Button size="compact-xs" variant="subtle" color="gray" onClick={() => update(nothing)}>
          Clear
        </Button>
      ) : null}
      <Button
        size="compact-sm"
        variant={search.live ? 'filled' : 'default'}
        leftSection={search.live ? <span className={styles.pulse} /> : <IconPlayerPlay size={13} />}
        onClick={() => update({ live: search.live ? undefined : 'true' })}
        aria-pressed={search.live === 'true'}
        data-testid="live-tail"
      >
        Live
      </Button>
    </form>
  );
}
