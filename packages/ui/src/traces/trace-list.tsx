import type { TraceSummary } from '@signalbox/api-contract';
import { IconAlertTriangleFilled, IconUnlink } from '@tabler/icons-react';
import { Link, useNavigate } from '@tanstack/react-router';
import { memo } from 'react';
import { formatAgo, formatClock, formatCount, formatDay, formatNanoseconds, unixNanoToMs } from '../data/format.ts';
import { serviceColorCss } from '../data/service-color.ts';
import { ServiceLabel } from '../shell/service-label.tsx';
import { useRowKeys } from '../shell/use-row-keys.ts';
import styles from './trace-list.module.css';

export function TraceList({ traces }: { traces: readonly TraceSummary[] }) {
  const navigate = useNavigate();
  const open = (trace: TraceSummary) =>
    void navigate({
      to: '/traces/$traceId',
      params: { traceId: trace.traceId },
      search: { span: trace.matchedSpans < trace.spanCount ? trace.matched.spanId : undefined },
    });
  const { selected } = useRowKeys(traces.length, (index) => {
    const trace = traces[index];
    if (trace) open(trace);
  });
  const longest = Math.max(1, ...traces.map(({ durationNano }) => durationNano));
  const now = Date.now();
  return (
    <div className={`card ${styles.list}`}>
      {traces.map((trace, index) => (
        <Row
          key={trace.traceId}
          trace={trace}
          selected={index === selected}
          share={trace.durationNano / longest}
          ago={formatAgo(unixNanoToMs(trace.startTimeUnixNano), now)}
          onOpen={open}
        />
      ))}
    </div>
  );
}

const Row = memo(function Row({
  trace,
  selected,
  share,
  ago,
  onOpen,
}: {
  trace: TraceSummary;
  selected: boolean;
  share: number;
  ago: string;
  onOpen: (trace: TraceSummary) => void;
}) {
  const startMs = unixNanoToMs(trace.startTimeUnixNano);
  const partial = trace.matchedSpans < trace.spanCount && trace.matched.name !== trace.rootName;
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: a larger target for the link inside.
    // biome-ignore lint/a11y/useKeyWithClickEvents: the link inside is the keyboard's; j, k and Enter work too.
    <div
      className={styles.row}
      data-testid="trace-row"
      data-trace-id={trace.traceId}
      data-selected={selected || undefined}
      tabIndex={-1}
      onClick={() => onOpen(trace)}
    >
      <div className={styles.main}>
        <div className={styles.title}>
          <ServiceLabel name={trace.rootService} />
          <Link
            to="/traces/$traceId"
            params={{ traceId: trace.traceId }}
            className={`${styles.name} truncate`}
            title={trace.rootName}
            onClick={(event) => event.stopPropagation()}
          >
            {trace.rootName || '(no name)'}
          </Link>
          {trace.rootMissing ? (
            <span className={styles.note} title="The root span did not arrive: this is the earliest span that did">
              <IconUnlink size={12} aria-hidden="true" /> root missing
            </span>
          ) : null}
          {trace.errorCount > 0 ? (
            <span className={styles.error}>
              <IconAlertTriangleFilled size={11} aria-hidden="true" /> {formatCount(trace.errorCount)}{' '}
              {trace.errorCount === 1 ? 'error' : 'errors'}
            </span>
          ) : null}
          {partial ? (
            <span className={`${styles.matched} truncate`}>
              {formatCount(trace.matchedSpans)} matching: {trace.matched.service} {trace.matched.name}{' '}
              {formatNanoseconds(trace.matched.durationNano)}
            </span>
          ) : null}
        </div>
        <Breakdown trace={trace} />
      </div>
      <div className={styles.duration}>
        <span>{formatNanoseconds(trace.durationNano)}</span>
        <span className={styles.track}>
          <span className={styles.fill} style={{ width: `${Math.max(1, share * 100)}%` }} />
        </span>
      </div>
      <div className={styles.time}>
        <span>
          <span className="muted">{formatDay(startMs)}</span> {formatClock(startMs)}
        </span>
        <span className="muted">{ago}</span>
      </div>
    </div>
  );
});

/** Which services the spans belong to, as one bar. */
function Breakdown({ trace }: { trace: TraceSummary }) {
  const named = trace.services.slice(0, 5);
  return (
    <div className={styles.breakdown}>
      <span
        className={styles.bar}
        role="img"
        aria-label={trace.services.map(({ name, spanCount }) => `${name} ${spanCount}`).join(', ')}
      >
        {trace.services.slice(0, 24).map(({ name, spanCount }) => (
          <span key={name} style={{ flexGrow: spanCount, background: serviceColorCss(name) }} />
        ))}
      </span>
      <span className={styles.names}>
        <span className={styles.spanCount}>
          {formatCount(trace.spanCount)} {trace.spanCount === 1 ? 'span' : 'spans'}
        </span>
        {named.map(({ name, spanCount }) => (
          <span key={name} className={styles.part}>
            <span className="dot" style={{ background: serviceColorCss(name), width: 6, height: 6 }} />
            {name.slice(0, 40)} {formatCount(spanCount)}
          </span>
        ))}
        {trace.services.length > named.length ? <span>+{trace.services.length - named.length}</span> : null}
      </span>
    </div>
  );
}
