import { Button, SegmentedControl, TextInput } from '@mantine/core';
import type { TraceResponse } from '@signalbox/api-contract';
import {
  IconAlertTriangle,
  IconAlertTriangleFilled,
  IconChevronDown,
  IconChevronUp,
  IconSearch,
} from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { Link, useParams } from '@tanstack/react-router';
import { useEffect, useMemo, useRef, useState } from 'react';
import { ApiError, apiGet } from '../data/api-client.ts';
import { criticalPath, criticalSelfTime, sectionsBySpan } from '../data/critical-path.ts';
import { formatAgo, formatCount, formatNanoseconds, formatUnixNano, unixNanoToMs } from '../data/format.ts';
import { matchSpans } from '../data/match-spans.ts';
import { parseZoom, printZoom, type SpanTab, spanTabs, type TraceSearch } from '../data/url-state.ts';
import {
  collapseBelow,
  expandTo,
  layoutWaterfall,
  visibleRows,
  type Waterfall as WaterfallLayout,
} from '../data/waterfall.ts';
import { CopyButton, EmptyState, ErrorState, RowsSkeleton } from '../shell/page-states.tsx';
import { ServiceLabel } from '../shell/service-label.tsx';
import { useShortcuts } from '../shell/shortcuts.tsx';
import { useSearchState } from '../shell/use-search-state.ts';
import { Minimap } from './minimap.tsx';
import { SpanPanel } from './span-panel.tsx';
import { TraceLogs } from './trace-logs.tsx';
import styles from './trace-page.module.css';
import { Waterfall } from './waterfall.tsx';

export function TracePage() {
  const { traceId: raw } = useParams({ from: '/traces/$traceId' });
  const traceId = raw.toLowerCase();
  const answer = useQuery({
    queryKey: ['trace', traceId],
    queryFn: ({ signal }) => apiGet<TraceResponse>(`traces/${encodeURIComponent(traceId)}`, {}, signal),
    refetchInterval: ({ state }) => {
      // A trace just opened from a live list may still be growing; one whose id was just pasted may be on its way.
      if (state.data) return isYoung(state.data) ? 2000 : false;
      return state.error instanceof ApiError && state.error.code === 'not_found' && state.errorUpdateCount < 5
        ? 1500
        : false;
    },
    staleTime: 10_000,
  });
  if (answer.data) return <TraceView trace={answer.data} key={traceId} />;
  if (answer.error instanceof ApiError && answer.error.code === 'not_found')
    return (
      <EmptyState title="This trace is not here">
        <p>
          No span with the trace id <span className="mono">{traceId}</span> is stored. It may be past its retention,
          dropped by sampling, or not have arrived yet.
        </p>
        <Button size="xs" variant="default" onClick={() => void answer.refetch()}>
          Look again
        </Button>
      </EmptyState>
    );
  if (answer.isError) return <ErrorState error={answer.error} what="The trace" onRetry={() => void answer.refetch()} />;
  return <RowsSkeleton rows={16} />;
}

function isYoung({ startTimeUnixNano, durationNano }: TraceResponse): boolean {
  return Date.now() - (unixNanoToMs(startTimeUnixNano) + durationNano / 1e6) < 20_000;
}

function TraceView({ trace }: { trace: TraceResponse }) {
  const [search, update] = useSearchState<TraceSearch>();
  const layout = useMemo(() => layoutWaterfall(trace.spans), [trace]);
  const critical = useMemo(() => {
    const main = mainRoot(layout);
    const sections = main ? criticalPath(main) : [];
    return { sections: sectionsBySpan(sections), self: criticalSelfTime(sections) };
  }, [layout]);
  const [collapsed, setCollapsed] = useState<ReadonlySet<string>>(() => new Set());
  const rows = useMemo(() => visibleRows(layout, collapsed), [layout, collapsed]);
  const matches = useMemo(() => matchSpans(layout.nodes, search.search ?? ''), [layout, search.search]);
  const selected = search.span ? layout.bySpanId.get(search.span) : undefined;
  const zoom = useMemo(() => {
    const parsed = parseZoom(search.zoom);
    return parsed
      ? { start: parsed.startMs * 1e6, end: parsed.endMs * 1e6 }
      : { start: 0, end: Math.max(layout.duration, 1) };
  }, [search.zoom, layout.duration]);
  const scrollTo = useRef<(index: number) => void>(null);

  function select(spanId: string | undefined, replace = true) {
    update({ span: spanId, tab: spanId ? search.tab : undefined }, { replace });
    if (!spanId) return;
    const open = expandTo(layout, spanId, collapsed);
    setCollapsed(open);
    const index = visibleRows(layout, open).findIndex(({ span }) => span.spanId === spanId);
    requestAnimationFrame(() => scrollTo.current?.(index));
  }

  function toggle(spanId: string) {
    setCollapsed((before) => {
      const next = new Set(before);
      if (!next.delete(spanId)) next.add(spanId);
      return next;
    });
  }

  function move(by: number) {
    const at = selected ? rows.indexOf(selected) : -1;
    const next = rows[Math.max(0, Math.min(rows.length - 1, at + by))];
    if (next) select(next.span.spanId);
  }

  function stepMatch(by: number) {
    if (matches.list.length === 0) return;
    const at = selected ? matches.list.indexOf(selected) : -1;
    const next = matches.list[(at + by + matches.list.length) % matches.list.length] ?? matches.list[0];
    if (next) select(next.span.spanId);
  }

  const setZoom = (start: number, end: number) => {
    const whole = start <= 0 && end >= layout.duration;
    update(
      { zoom: whole || end <= start ? undefined : printZoom(Math.max(0, start) / 1e6, end / 1e6) },
      { replace: true },
    );
  };

  useShortcuts({
    j: () => move(1),
    arrowdown: () => move(1),
    k: () => move(-1),
    arrowup: () => move(-1),
    h: () => collapseOrParent(),
    arrowleft: () => collapseOrParent(),
    l: () => expandOrChild(),
    arrowright: () => expandOrChild(),
    enter: () => {
      if (selected) document.querySelector<HTMLElement>('[data-testid="span-panel"]')?.focus();
      else move(1);
    },
    n: () => stepMatch(1),
    p: () => stepMatch(-1),
    ...Object.fromEntries(spanTabs.map((tab, index) => [String(index + 1), () => openTab(tab)])),
    c: () => setCollapsed((before) => (before.size ? new Set() : collapseBelow(layout, 1))),
    z: () => {
      if (search.zoom) update({ zoom: undefined }, { replace: true });
      else if (selected) setZoom(selected.start, Math.max(selected.end, selected.start + 1));
    },
    escape: () => {
      if (selected) select(undefined);
      else if (search.zoom) update({ zoom: undefined }, { replace: true });
    },
  });

  function openTab(tab: SpanTab) {
    const span = selected ?? layout.nodes[0];
    if (span) update({ span: span.span.spanId, tab: tab === 'attributes' ? undefined : tab }, { replace: true });
  }

  function collapseOrParent() {
    if (!selected) return;
    if (selected.children.length && !collapsed.has(selected.span.spanId)) toggle(selected.span.spanId);
    else if (selected.parent) select(selected.parent.span.spanId);
  }

  function expandOrChild() {
    if (!selected?.children.length) return;
    if (collapsed.has(selected.span.spanId)) toggle(selected.span.spanId);
    else if (selected.children[0]) select(selected.children[0].span.spanId);
  }

  // An address that names a span opens the page at it.
  const initialSpan = useRef(search.span);
  useEffect(() => {
    if (!initialSpan.current) return;
    const index = layout.nodes.findIndex(({ span }) => span.spanId === initialSpan.current);
    if (index >= 0) requestAnimationFrame(() => scrollTo.current?.(index));
    initialSpan.current = undefined;
  }, [layout]);

  return (
    <div className={styles.layout}>
      <TraceHeader trace={trace} layout={layout} />
      <div className={styles.toolbar}>
        <SegmentedControl
          size="xs"
          value={search.view ?? 'waterfall'}
          onChange={(value) => update({ view: value === 'logs' ? 'logs' : undefined })}
          data={[
            { value: 'waterfall', label: 'Waterfall' },
            { value: 'logs', label: `Logs of the trace (${formatCount(trace.logCount)})` },
          ]}
          aria-label="Show"
        />
        <TextInput
          size="xs"
          data-page-search
          className={styles.find}
          placeholder="Find in this trace"
          aria-label="Find spans by name, service, attribute or value"
          leftSection={<IconSearch size={14} stroke={1.8} />}
          value={search.search ?? ''}
          onChange={(event) => update({ search: event.currentTarget.value || undefined }, { replace: true })}
          onKeyDown={(event) => {
            if (event.key === 'Enter') stepMatch(event.shiftKey ? -1 : 1);
          }}
        />
        {search.search ? (
          <span className="row" style={{ gap: 4 }} aria-live="polite">
            <span className="muted">
              {matches.list.length === 0
                ? 'no span'
                : `${selected && matches.ids.has(selected.span.spanId) ? `${matches.list.indexOf(selected) + 1} of ` : ''}${formatCount(matches.list.length)}`}
            </span>
            <button
              type="button"
              className={styles.step}
              onClick={() => stepMatch(-1)}
              aria-label="Match before (p)"
              disabled={!matches.list.length}
            >
              <IconChevronUp size={15} />
            </button>
            <button
              type="button"
              className={styles.step}
              onClick={() => stepMatch(1)}
              aria-label="Next match (n)"
              disabled={!matches.list.length}
            >
              <IconChevronDown size={15} />
            </button>
          </span>
        ) : null}
        <span className="grow" />
        <span className={styles.legend}>
          <span className={styles.criticalSwatch} aria-hidden="true" /> critical path
        </span>
        {search.zoom ? (
          <Button size="compact-xs" variant="default" onClick={() => update({ zoom: undefined }, { replace: true })}>
            Show all (z)
          </Button>
        ) : null}
        <Button
          size="compact-xs"
          variant="subtle"
          color="gray"
          onClick={() => setCollapsed((before) => (before.size ? new Set() : collapseBelow(layout, 1)))}
        >
          {collapsed.size ? 'Expand all' : 'Collapse all'}
        </Button>
      </div>
      <Notes trace={trace} layout={layout} />
      {search.view === 'logs' ? (
        <TraceLogs traceId={trace.traceId} />
      ) : (
        <div className={styles.body} data-panel={selected ? 'open' : undefined}>
          <div className={styles.waterfall}>
            <Minimap layout={layout} view={zoom} onZoom={setZoom} />
            <Waterfall
              rows={rows}
              view={zoom}
              collapsed={collapsed}
              critical={critical.sections}
              selectedSpanId={selected?.span.spanId}
              matches={search.search ? matches.ids : null}
              onSelect={(spanId) => select(spanId)}
              onToggle={toggle}
              onZoom={setZoom}
              scrollTo={scrollTo}
            />
          </div>
          {selected ? (
            <SpanPanel
              key={selected.span.spanId}
              node={selected}
              trace={trace}
              criticalNs={critical.self.get(selected.span.spanId) ?? 0}
              onClose={() => select(undefined)}
              onSelect={(spanId) => select(spanId)}
            />
          ) : null}
        </div>
      )}
    </div>
  );
}

/** The root whose tree lasts longest: the request itself, where spans without their parents stand beside it. */
function mainRoot({ roots }: WaterfallLayout) {
  let best = roots[0];
  for (const root of roots) {
    const better =
      !best ||
      (best.parentMissing && !root.parentMissing) ||
      (best.parentMissing === root.parentMissing && root.end - root.start > best.end - best.start);
    if (better) best = root;
  }
  return best;
}

function TraceHeader({ trace, layout }: { trace: TraceResponse; layout: WaterfallLayout }) {
  const root = mainRoot(layout);
  const errors = trace.spans.filter(({ status }) => status.code === 'ERROR').length;
  const services = new Set(trace.spans.map(({ service }) => service));
  return (
    <header className={styles.header}>
      <div className={styles.titleRow}>
        <Link to="/traces" className={styles.back}>
          Traces
        </Link>
        <span className="muted">/</span>
        {root ? <ServiceLabel name={root.span.service} /> : null}
        <h1 className={`${styles.title} truncate`} title={root?.span.name}>
          {root?.span.name ?? 'Trace'}
        </h1>
        {errors > 0 ? (
          <span className={styles.errorBadge}>
            <IconAlertTriangleFilled size={12} aria-hidden="true" /> {formatCount(errors)}{' '}
            {errors === 1 ? 'error' : 'errors'}
          </span>
        ) : null}
      </div>
      <div className={styles.facts}>
        <Fact label="Duration" value={formatNanoseconds(layout.duration)} strong />
        <Fact label="Spans" value={formatCount(trace.spans.length)} />
        <Fact label="Services" value={formatCount(services.size)} />
        <Fact
          label="Started"
          value={`${formatUnixNano(trace.startTimeUnixNano).slice(0, -6)} (${formatAgo(unixNanoToMs(trace.startTimeUnixNano), Date.now())})`}
        />
        <span className={styles.fact}>
          <span className="muted">Trace</span> <span className="mono">{trace.traceId}</span>
          <CopyButton text={trace.traceId} label="Copy the trace id" />
        </span>
      </div>
    </header>
  );
}

function Fact({ label, value, strong = false }: { label: string; value: string; strong?: boolean }) {
  return (
    <span className={styles.fact}>
      <span className="muted">{label}</span> <span style={strong ? { fontWeight: 600 } : undefined}>{value}</span>
    </span>
  );
}

function Notes({ trace, layout }: { trace: TraceResponse; layout: WaterfallLayout }) {
  const notes: string[] = [];
  if (layout.missingParents > 0)
    notes.push(
      `${formatCount(layout.missingParents)} ${layout.missingParents === 1 ? 'span names a parent' : 'spans name parents'} that did not arrive; shown as roots.`,
    );
  if (layout.skewed > 0)
    notes.push(
      `${formatCount(layout.skewed)} ${layout.skewed === 1 ? 'span begins' : 'spans begin'} before the caller: the clocks of those machines differ. Times are shown as sent.`,
    );
  if (trace.truncated) notes.push(`Only the first ${formatCount(trace.spans.length)} spans are shown.`);
  if (notes.length === 0) return null;
  return (
    <div className={styles.notes} role="note">
      <IconAlertTriangle size={14} stroke={1.8} aria-hidden="true" />
      <span>{notes.join(' ')}</span>
    </div>
  );
}
