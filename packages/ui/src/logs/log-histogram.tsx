import { useElementSize } from '@mantine/hooks';
import type { LogHistogramResponse, Severity } from '@signalbox/api-contract';
import { type PointerEvent as ReactPointerEvent, useState } from 'react';
import { formatClock, formatCompact, formatCount, formatDay } from '../data/format.ts';
import { timeTicks } from '../data/ticks.ts';
import { severities } from '../data/url-state.ts';
import { timeLabels } from '../time/time-series-chart.tsx';
import styles from './log-histogram.module.css';

const height = 96;
const left = 44;
const bottom = 20;
const top = 6;

const fills: Record<Severity, string> = {
  FATAL: 'light-dark(#8f1d1d, #ff9c98)',
  ERROR: 'var(--error-fill)',
  WARN: 'var(--warn-fill)',
  INFO: 'var(--info-fill)',
  DEBUG: 'var(--debug-fill)',
  TRACE: 'light-dark(#d3d9e3, #353e4c)',
  UNSPECIFIED: 'light-dark(#c8b8dc, #4e4260)',
};

interface Props {
  histogram: LogHistogramResponse | undefined;
  startMs: number;
  endMs: number;
  chosen: readonly Severity[] | undefined;
  onZoom: (startMs: number, endMs: number) => void;
  onSeverity: (severity: Severity) => void;
}

/** Records over time, stacked by severity, the worst at the bottom where they are compared most easily. */
export function LogHistogram({ histogram, startMs, endMs, chosen, onZoom, onSeverity }: Props) {
  const { ref, width } = useElementSize<HTMLDivElement>();
  const [drag, setDrag] = useState<{ from: number; to: number } | null>(null);
  const [hovered, setHovered] = useState<number | null>(null);
  const present = severities.filter((severity) => histogram?.counts[severity]?.some((count) => count > 0));
  const times = histogram?.times ?? [];
  const stepMs = histogram?.stepMs ?? 1;
  const totals = times.map((_, index) =>
    present.reduce((sum, severity) => sum + (histogram?.counts[severity]?.[index] ?? 0), 0),
  );
  const highest = Math.max(1, ...totals);
  const plotWidth = Math.max(1, width - left);
  const plotHeight = height - top - bottom;
  const x = (timeMs: number) => left + ((timeMs - startMs) / Math.max(1, endMs - startMs)) * plotWidth;
  const position = (event: ReactPointerEvent<HTMLDivElement>) =>
    event.clientX - event.currentTarget.getBoundingClientRect().left;
  const time = (at: number) => startMs + (Math.max(0, Math.min(plotWidth, at - left)) / plotWidth) * (endMs - startMs);
  const ticks = timeTicks(startMs, endMs, Math.max(2, Math.floor(plotWidth / 110)));
  const labels = timeLabels(ticks, endMs - startMs);

  return (
    <div className={styles.wrap}>
      <div
        ref={ref}
        className={styles.plot}
        style={{ height }}
        data-testid="chart"
        role="img"
        aria-label={`${formatCount(histogram?.total ?? 0)} records over time by severity`}
        onPointerDown={(event) => {
          event.currentTarget.setPointerCapture(event.pointerId);
          setDrag({ from: position(event), to: position(event) });
        }}
        onPointerMove={(event) => {
          const at = position(event);
          setDrag((before) => (before ? { from: before.from, to: at } : null));
          const index = times.findIndex((start) => time(at) >= start && time(at) < start + stepMs);
          setHovered(at < left || index < 0 ? null : index);
        }}
        onPointerLeave={() => setHovered(null)}
        onPointerUp={() => {
          if (drag && Math.abs(drag.to - drag.from) > 5)
            onZoom(time(Math.min(drag.from, drag.to)), time(Math.max(drag.from, drag.to)));
          setDrag(null);
        }}
      >
        <svg width={width} height={height} aria-hidden="true">
          {(present.length ? [1, 0.5] : []).map((share) => (
            <g key={share}>
              <line
                x1={left}
                x2={width}
                y1={top + plotHeight * (1 - share) + 0.5}
                y2={top + plotHeight * (1 - share) + 0.5}
                stroke="var(--line-soft)"
              />
              <text x={left - 8} y={top + plotHeight * (1 - share) + 4} className={styles.label} textAnchor="end">
                {formatCompact(Math.round(highest * share))}
              </text>
            </g>
          ))}
          <line x1={left} x2={width} y1={top + plotHeight + 0.5} y2={top + plotHeight + 0.5} stroke="var(--line)" />
          {times.map((start, index) => {
            const from = Math.max(left, x(start));
            const to = Math.min(width, x(start + stepMs));
            if (to <= from) return null;
            let y = top + plotHeight;
            return (
              <g key={start} opacity={hovered === null || hovered === index ? 1 : 0.55}>
                {present.map((severity) => {
                  const count = histogram?.counts[severity]?.[index] ?? 0;
                  if (count === 0) return null;
                  const size = Math.max(1, (count / highest) * plotHeight);
                  y -= size;
                  return (
                    <rect
                      key={severity}
                      x={from + 0.5}
                      width={Math.max(0.8, to - from - 1)}
                      y={y}
                      height={size}
                      style={{ fill: fills[severity] }}
                    />
                  );
                })}
              </g>
            );
          })}
          {ticks.map((tick, index) => (
            <text
              key={tick}
              x={Math.max(left + 16, Math.min(width - 20, x(tick)))}
              y={height - 5}
              className={styles.label}
              textAnchor="middle"
            >
              {labels[index]}
            </text>
          ))}
        </svg>
        {drag && Math.abs(drag.to - drag.from) > 5 ? (
          <span
            className={styles.drag}
            style={{ left: Math.min(drag.from, drag.to), width: Math.abs(drag.to - drag.from), top, bottom }}
          />
        ) : null}
        {hovered !== null && !drag ? (
          <div
            className={styles.tooltip}
            style={
              x(times[hovered] ?? 0) > width - 200
                ? { right: width - x(times[hovered] ?? 0) + 8 }
                : { left: x((times[hovered] ?? 0) + stepMs) + 8 }
            }
          >
            <div className="muted">
              {formatDay(times[hovered] ?? 0)} {formatClock(times[hovered] ?? 0, 0)}
            </div>
            {present.map((severity) => {
              const count = histogram?.counts[severity]?.[hovered] ?? 0;
              return count > 0 ? (
                <div key={severity} className={styles.tooltipRow}>
                  <span className="dot" style={{ background: fills[severity] }} />
                  <span className="grow">{severity}</span>
                  <b>{formatCount(count)}</b>
                </div>
              ) : null;
            })}
          </div>
        ) : null}
      </div>
      <div className={styles.legend}>
        {present.map((severity) => (
          <button
            key={severity}
            type="button"
            className={styles.key}
            data-off={(chosen && !chosen.includes(severity)) || undefined}
            onClick={() => onSeverity(severity)}
          >
            <span className="dot" style={{ background: fills[severity] }} />
            <span>{severity}</span>
            <b>{formatCompact(histogram?.counts[severity]?.reduce((sum, count) => sum + count, 0))}</b>
          </button>
        ))}
      </div>
    </div>
  );
}
