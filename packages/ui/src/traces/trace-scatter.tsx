import { useComputedColorScheme } from '@mantine/core';
import { useElementSize } from '@mantine/hooks';
import type { TraceScatterResponse } from '@signalbox/api-contract';
import { useNavigate } from '@tanstack/react-router';
import { type PointerEvent as ReactPointerEvent, useEffect, useMemo, useRef, useState } from 'react';
import { formatClock, formatCount, formatDay, formatDuration } from '../data/format.ts';
import { serviceColor } from '../data/service-color.ts';
import { timeTicks } from '../data/ticks.ts';
import { timeLabels } from '../time/time-series-chart.tsx';
import styles from './trace-scatter.module.css';

type Point = TraceScatterResponse['points'][number];

const height = 168;
const left = 56;
const bottom = 22;
const top = 18;
const right = 8;

interface Props {
  points: readonly Point[];
  total: number;
  startMs: number;
  endMs: number;
  loading: boolean;
  onZoom: (startMs: number, endMs: number) => void;
}

/** One dot a trace, by time and (logarithmic) duration. Errors are red crosses. A click opens the trace, dragging zooms in on the time. */
export function TraceScatter({ points, total, startMs, endMs, loading, onZoom }: Props) {
  const { ref, width } = useElementSize<HTMLDivElement>();
  const canvas = useRef<HTMLCanvasElement>(null);
  const dark = useComputedColorScheme('light', { getInitialValueInEffect: false }) === 'dark';
  const [hovered, setHovered] = useState<{ point: Point; x: number; y: number } | null>(null);
  const [drag, setDrag] = useState<{ from: number; to: number } | null>(null);
  const navigate = useNavigate();

  const scale = useMemo(() => {
    const durations = points.map(({ durationMs }) => Math.max(durationMs, 0.001));
    const shortest = durations.length ? Math.min(...durations) : 1;
    const longest = durations.length ? Math.max(...durations) : 1000;
    // At least two decades, so that an even load does not look like a storm.
    const low = Math.min(shortest * 0.75, longest / 70);
    const high = longest * 1.5;
    const plotWidth = Math.max(1, width - left - right);
    const plotHeight = height - top - bottom;
    return {
      low,
      high,
      x: (timeMs: number) => left + ((timeMs - startMs) / Math.max(1, endMs - startMs)) * plotWidth,
      y: (durationMs: number) =>
        top + plotHeight * (1 - Math.log10(Math.max(durationMs, low) / low) / Math.log10(high / low)),
      time: (x: number) => startMs + (Math.max(0, Math.min(plotWidth, x - left)) / plotWidth) * (endMs - startMs),
    };
  }, [points, startMs, endMs, width]);

  useEffect(() => {
    const context = canvas.current?.getContext('2d');
    if (!context || !canvas.current || width <= 0) return;
    const ratio = devicePixelRatio || 1;
    canvas.current.width = Math.round(width * ratio);
    canvas.current.height = Math.round(height * ratio);
    context.scale(ratio, ratio);
    context.clearRect(0, 0, width, height);
    context.font = '11px Inter, "Segoe UI", Roboto, "Liberation Sans", Arial, sans-serif';
    context.textBaseline = 'middle';
    context.textAlign = 'right';
    for (let decade = 10 ** Math.ceil(Math.log10(scale.low)); decade <= scale.high; decade *= 10) {
      const y = Math.round(scale.y(decade)) + 0.5;
      context.fillStyle = dark ? '#232934' : '#eceef2';
      context.fillRect(left, y - 0.5, width - left - right, 1);
      context.fillStyle = dark ? '#8b95a7' : '#68728a';
      context.fillText(formatDuration(decade).replace(/\.0+(?=\D)/, ''), left - 8, y);
    }
    context.textAlign = 'center';
    const ticks = timeTicks(startMs, endMs, Math.max(2, Math.floor((width - left) / 110)));
    const labels = timeLabels(ticks, endMs - startMs);
    ticks.forEach((tick, index) => {
      const x = scale.x(tick);
      if (x > left + 14 && x < width - 24) context.fillText(labels[index] ?? '', x, height - 8);
    });
    for (const point of points) {
      if (point.error) continue;
      context.fillStyle = serviceColor(point.service, dark);
      context.globalAlpha = 0.62;
      context.beginPath();
      context.arc(scale.x(point.timeMs), scale.y(point.durationMs), 2.6, 0, 7);
      context.fill();
    }
    context.globalAlpha = 1;
    context.strokeStyle = dark ? '#ff6d69' : '#d4302f';
    context.lineWidth = 1.9;
    for (const point of points) {
      if (!point.error) continue;
      const x = scale.x(point.timeMs);
      const y = scale.y(point.durationMs);
      context.beginPath();
      context.moveTo(x - 3.2, y - 3.2);
      context.lineTo(x + 3.2, y + 3.2);
      context.moveTo(x + 3.2, y - 3.2);
      context.lineTo(x - 3.2, y + 3.2);
      context.stroke();
    }
  }, [points, scale, width, dark, startMs, endMs]);

  function nearest(event: ReactPointerEvent<HTMLDivElement>): { point: Point; x: number; y: number } | null {
    const box = event.currentTarget.getBoundingClientRect();
    const atX = event.clientX - box.left;
    const atY = event.clientY - box.top;
    let best: { point: Point; x: number; y: number } | null = null;
    let bestDistance = 81;
    for (const point of points) {
      const x = scale.x(point.timeMs);
      const y = scale.y(point.durationMs);
      const distance = (x - atX) ** 2 + (y - atY) ** 2 - (point.error ? 4 : 0);
      if (distance < bestDistance) {
        best = { point, x, y };
        bestDistance = distance;
      }
    }
    return best;
  }

  const position = (event: ReactPointerEvent<HTMLDivElement>) =>
    event.clientX - event.currentTarget.getBoundingClientRect().left;
  const open = (traceId: string) => void navigate({ to: '/traces/$traceId', params: { traceId } });

  return (
    <div
      ref={ref}
      className={styles.scatter}
      style={{ height, cursor: hovered ? 'pointer' : 'crosshair' }}
      data-testid="scatter"
      role="img"
      aria-label={`Durations of ${formatCount(points.length)} traces over time; the list below holds the same traces`}
      onPointerDown={(event) => {
        if (event.button !== 0) return;
        event.currentTarget.setPointerCapture(event.pointerId);
        setDrag({ from: position(event), to: position(event) });
      }}
      onPointerMove={(event) => {
        const to = position(event);
        setDrag((before) => (before ? { from: before.from, to } : null));
        setHovered(nearest(event));
      }}
      onPointerLeave={() => setHovered(null)}
      onPointerUp={(event) => {
        const was = drag;
        setDrag(null);
        if (!was) return;
        if (Math.abs(was.to - was.from) > 5)
          onZoom(scale.time(Math.min(was.from, was.to)), scale.time(Math.max(was.from, was.to)));
        else {
          const hit = nearest(event);
          if (hit) open(hit.point.traceId);
        }
      }}
    >
      <canvas ref={canvas} style={{ width: '100%', height, display: 'block' }} />
      {drag && Math.abs(drag.to - drag.from) > 5 ? (
        <span
          className={styles.drag}
          style={{ left: Math.min(drag.from, drag.to), width: Math.abs(drag.to - drag.from), top, bottom }}
        />
      ) : null}
      {hovered && !drag ? (
        <>
          <span className={styles.ring} style={{ left: hovered.x, top: hovered.y }} />
          <div
            className={styles.tooltip}
            style={{
              top: Math.min(hovered.y, height - 70),
              ...(hovered.x > width - 280 ? { right: width - hovered.x + 12 } : { left: hovered.x + 12 }),
            }}
          >
            <b>{formatDuration(hovered.point.durationMs)}</b>
            {hovered.point.error ? <span className="error-text"> failed</span> : null}
            <div className="truncate">
              {hovered.point.service}: {hovered.point.name}
            </div>
            <div className="muted">
              {formatDay(hovered.point.timeMs)} {formatClock(hovered.point.timeMs)}
            </div>
          </div>
        </>
      ) : null}
      <div className={styles.legend}>
        <span>
          <svg width="9" height="9" aria-hidden="true">
            <path d="M1.5 1.5l6 6M7.5 1.5l-6 6" stroke="var(--error-fill)" strokeWidth="1.9" />
          </svg>{' '}
          with errors
        </span>
        {points.length < total ? (
          <span>
            {formatCount(points.length)} of {formatCount(total)} shown
          </span>
        ) : null}
      </div>
      {points.length === 0 && !loading ? <div className={styles.empty}>No traces to draw</div> : null}
    </div>
  );
}
