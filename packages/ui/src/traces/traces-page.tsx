import { Button, Checkbox, Select, TextInput } from '@mantine/core';
import type {
  OperationsResponse,
  ServicesResponse,
  StatusCode,
  TraceScatterResponse,
  TraceSearchResponse,
  TraceSummary,
} from '@signalbox/api-contract';
import { IconX } from '@tabler/icons-react';
import { useNavigate } from '@tanstack/react-router';
import { useEffect, useState } from 'react';
import { FilterBar, ValueField } from '../attributes/filter-bar.tsx';
import { formatCount } from '../data/format.ts';
import { resolveRange } from '../data/time-range.ts';
import { traceqlOf } from '../data/traceql-text.ts';
import { findTraceId, spanKinds, type TracesSearch } from '../data/url-state.ts';
import { EmptyState, ErrorState, NoDataYet, RowsSkeleton } from '../shell/page-states.tsx';
import { useApi } from '../shell/use-api.ts';
import { useSearchState } from '../shell/use-search-state.ts';
import { useTime } from '../time/use-time.ts';
import { TraceList } from './trace-list.tsx';
import { TraceScatter } from './trace-scatter.tsx';
import { TraceqlField } from './traceql-field.tsx';
import styles from './traces-page.module.css';

const statusLabels: Record<StatusCode, string> = { ERROR: 'Error', OK: 'OK', UNSET: 'Unset' };
const nothing = {
  q: undefined,
  service: undefined,
  operation: undefined,
  filter: undefined,
  min: undefined,
  max: undefined,
  status: undefined,
  kind: undefined,
  rootOnly: undefined,
  limit: undefined,
} satisfies TracesSearch;

export function TracesPage() {
  const [search, update] = useSearchState<TracesSearch>();
  const { range, zoom } = useTime();
  const { q, service, operation, filter, min, max, status, kind, rootOnly, limit } = search;
  const fields = { service, operation, filter, minDuration: min, maxDuration: max, status, kind, rootOnly };
  const parameters = q === undefined ? fields : { q };
  const answer = useApi<TraceSearchResponse>('traces', { ...parameters, limit: limit ?? 50 });
  const scatter = useApi<TraceScatterResponse>('traces/scatter', fields, { enabled: q === undefined });
  const narrowed = [q, service, operation, filter, min, max, status, kind, rootOnly].some((one) => one !== undefined);
  const resolved = resolveRange(range, (q === undefined ? scatter : answer).dataUpdatedAt || Date.now());

  return (
    <div className="page">
      <div className="page-inner">
        <SearchForm failure={answer.error} />
        <section className={`card ${styles.scatter}`} aria-label="Duration of traces over time">
          <TraceScatter
            points={q === undefined ? (scatter.data?.points ?? []) : pointsOf(answer.data?.traces ?? [])}
            total={(q === undefined ? scatter.data?.total : answer.data?.total) ?? 0}
            startMs={resolved.startMs}
            endMs={resolved.endMs}
            onZoom={zoom}
            loading={(q === undefined ? scatter : answer).isPending}
          />
        </section>
        {answer.isError && (!answer.data || answer.isPlaceholderData) ? (
          <ErrorState error={answer.error} what="The traces" onRetry={() => void answer.refetch()} />
        ) : !answer.data ? (
          <div className="card">
            <RowsSkeleton rows={10} height={30} />
          </div>
        ) : answer.data.traces.length === 0 ? (
          narrowed ? (
            <EmptyState title="No trace matches in this time range">
              <Button size="xs" variant="default" onClick={() => update(nothing)} mt={6}>
                Remove all filters
              </Button>
            </EmptyState>
          ) : (
            <NoTraces />
          )
        ) : (
          <>
            <div className={styles.summary} aria-live="polite">
              <span>
                <b>{formatCount(answer.data.traces.length)}</b> of{' '}
                <b>
                  {answer.data.totalIsLowerBound ? 'more than ' : ''}
                  {formatCount(answer.data.total)}
                </b>{' '}
                traces, newest first
              </span>
              {answer.data.traces.length < answer.data.total && limit !== '1000' ? (
                <button
                  type="button"
                  className={styles.moreButton}
                  onClick={() => update({ limit: limit === '200' ? '1000' : '200' }, { replace: true })}
                >
                  Show {limit === '200' ? '1,000' : '200'}
                </button>
              ) : null}
            </div>
            <div style={answer.isPlaceholderData ? { opacity: 0.55 } : undefined}>
              <TraceList traces={answer.data.traces} />
            </div>
          </>
        )}
      </div>
    </div>
  );
}

/** TraceQL finds traces, not a sample of all that match: what is listed is what is drawn. */
function pointsOf(traces: readonly TraceSummary[]): TraceScatterResponse['points'] {
  return traces.map(({ traceId, startTimeUnixNano, durationNano, errorCount, rootName, rootService }) => ({
    traceId,
    timeMs: Number(BigInt(startTimeUnixNano) / 1_000_000n),
    durationMs: durationNano / 1e6,
    error: errorCount > 0,
    name: rootName,
    service: rootService,
  }));
}

/** Nothing in this range, or nothing at all. */
function NoTraces() {
  const { range, setRange } = useTime();
  const ever = useApi<ServicesResponse>('services', { start: 'now-7d', end: 'now' }, { timed: false });
  if (ever.data?.services.length === 0) return <NoDataYet what="traces" />;
  return (
    <EmptyState title="No traces in this time range">
      {range.from === 'now-7d' ? null : (
        <Button size="xs" variant="default" onClick={() => setRange({ from: 'now-7d', to: 'now' })} mt={6}>
          Look at the last 7 days
        </Button>
      )}
    </EmptyState>
  );
}

function SearchForm({ failure }: { failure: unknown }) {
  const [search, update] = useSearchState<TracesSearch>();
  const navigate = useNavigate();
  const services = useApi<ServicesResponse>('services', {}, { live: false });
  const operations = useApi<OperationsResponse>(
    `services/${encodeURIComponent(search.service ?? '')}/operations`,
    {},
    { enabled: search.service !== undefined, live: false },
  );
  const openTrace = (text: string) => {
    const traceId = findTraceId(text);
    if (!traceId) return false;
    void navigate({ to: '/traces/$traceId', params: { traceId } });
    return true;
  };
  if (search.q !== undefined)
    return (
      <form className={styles.form} onSubmit={(event) => event.preventDefault()} aria-label="Search traces">
        <TraceqlField value={search.q} onChange={(q) => update({ q })} onOther={openTrace} failure={failure} />
        <Button size="compact-xs" variant="subtle" color="gray" onClick={() => update({ q: undefined })}>
          Fields
        </Button>
      </form>
    );
  const set = Object.entries(search).some(([name, value]) => name in nothing && value !== undefined);
  return (
    <form className={styles.form} onSubmit={(event) => event.preventDefault()} aria-label="Search traces">
      <ValueField
        label="Service"
        value={search.service ?? ''}
        values={services.data?.services.map(({ name }) => name) ?? []}
        width={150}
        onChange={(service) => update({ service, operation: undefined })}
      />
      <ValueField
        label="Operation"
        value={search.operation ?? ''}
        values={[...new Set(search.service ? operations.data?.operations.map(({ name }) => name) : [])]}
        width={190}
        onChange={(operation) => update({ operation })}
      />
      <FilterBar
        signal="spans"
        filters={search.filter ?? []}
        onChange={(filter) => update({ filter: filter.length ? filter : undefined })}
        onOther={openTrace}
        failure={failure}
      />
      <DurationField label="Longer than" value={search.min} onChange={(min) => update({ min })} />
      <DurationField label="Shorter than" value={search.max} onChange={(max) => update({ max })} />
      <Select
        size="xs"
        w={104}
        aria-label="Status"
        placeholder="Any status"
        clearable
        clearButtonProps={{ 'aria-label': 'Any status' }}
        value={search.status ?? null}
        onChange={(status) => update({ status: (status as StatusCode | null) ?? undefined })}
        data={(['ERROR', 'OK', 'UNSET'] as const).map((value) => ({ value, label: statusLabels[value] }))}
      />
      <Select
        size="xs"
        w={104}
        aria-label="Kind of span"
        placeholder="Any kind"
        clearable
        clearButtonProps={{ 'aria-label': 'Any kind' }}
        value={search.kind ?? null}
        onChange={(value) => update({ kind: spanKinds.find((one) => one === value) })}
        data={spanKinds
          .filter((kind) => kind !== 'UNSPECIFIED')
          .map((value) => ({ value, label: value[0] + value.slice(1).toLowerCase() }))}
      />
      <Checkbox
        size="xs"
        label="Roots only"
        checked={search.rootOnly === 'true'}
        onChange={(event) => update({ rootOnly: event.currentTarget.checked ? 'true' : undefined })}
      />
      <Button
        size="compact-xs"
        variant="subtle"
        color="gray"
        title="Write the search in TraceQL"
        onClick={() => update({ q: traceqlOf(search) })}
      >
        TraceQL
      </Button>
      {set ? (
        <Button
          size="compact-xs"
          variant="subtle"
          color="gray"
          leftSection={<IconX size={12} />}
          onClick={() => update(nothing)}
        >
          Clear
        </Button>
      ) : null}
    </form>
  );
}

const durationForm = /^\d+(\.\d+)?\s*(ns|us|µs|ms|s|m|h)$/;

/** `250ms`, `1.5s`; a bare number is milliseconds. Takes effect on Enter and when left. */
function DurationField({
  label,
  value,
  onChange,
}: {
  label: string;
  value: string | undefined;
  onChange: (value: string | undefined) => void;
}) {
  const [text, setText] = useState(value ?? '');
  const [wrong, setWrong] = useState(false);
  useEffect(() => setText(value ?? ''), [value]);
  function commit() {
    const trimmed = text.trim();
    const normal = /^\d+(\.\d+)?$/.test(trimmed) ? `${trimmed}ms` : trimmed.replace(/\s+/g, '');
    if (normal === (value ?? '')) return;
    if (normal !== '' && !durationForm.test(normal)) setWrong(true);
    else onChange(normal || undefined);
  }
  return (
    <TextInput
      size="xs"
      w={92}
      aria-label={`${label}, such as 250ms`}
      placeholder={label === 'Longer than' ? '> 250ms' : '< 2s'}
      title={wrong ? 'A number and a unit: 250ms, 1.5s, 2m' : label}
      value={text}
      error={wrong}
      onChange={(event) => {
        setText(event.currentTarget.value);
        setWrong(false);
      }}
      onBlur={commit}
      onKeyDown={(event) => {
        if (event.key === 'Enter') commit();
      }}
    />
  );
}
