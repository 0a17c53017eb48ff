import { useComputedColorScheme } from '@mantine/core';
import { useElementSize } from '@mantine/hooks';
import { type ReactNode, useEffect, useMemo, useRef, useState } from 'react';
import uPlot from 'uplot';
import { formatClock, formatDay } from '../data/format.ts';
import type { Formatter } from '../data/format-unit.ts';
import styles from './time-series-chart.module.css';

export interface ChartSeries {
  /** A React key; labels may repeat. */
  readonly id: string;
  readonly label: string;
  /** For a canvas: no variables. */
  readonly color: string;
  readonly values: readonly (number | null)[];
  /** A tinted area below the line. */
  readonly fill?: boolean;
  readonly dashed?: boolean;
}

/** Where instants and values lie in the plot, in CSS pixels from the chart's corner. */
export interface ChartScale {
  x(timeMs: number): number;
  y(value: number): number;
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
  readonly maxValue: number;
}

interface Props {
  /** Unix milliseconds. */
  times: readonly number[];
  series: readonly ChartSeries[];
  format: Formatter;
  height: number;
  label: string;
  /** The least upper end of the scale: calm lines near zero must not look wild. */
  atLeast?: number;
  /** Values that the scale must have room for besides the lines. */
  include?: number;
  /** Charts with one name share the cursor. */
  syncKey?: string;
  /** Powers of two for bytes. */
  steps?: number[] | null;
  onZoom?: (startMs: number, endMs: number) => void;
  onHover?: (index: number | null) => void;
  /** Series to stress; the others fade. */
  focused?: string | null;
  /** Drawn over the plot, for points that can be clicked. */
  overlay?: ((scale: ChartScale) => ReactNode) | undefined;
}

export function TimeSeriesChart(props: Props) {
  const { times, series, height, label, atLeast = 0, include = 0, focused = null, overlay } = props;
  const { ref, width } = useElementSize<HTMLDivElement>();
  const host = useRef<HTMLDivElement>(null);
  const tooltip = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot | null>(null);
  const dark = useComputedColorScheme('light', { getInitialValueInEffect: false }) === 'dark';
  const [scale, setScale] = useState<ChartScale | null>(null);
  const latest = useRef(props);
  latest.current = props;
  const data = useMemo(
    () => [times as number[], ...series.map(({ values }) => values as (number | null)[])] as uPlot.AlignedData,
    [times, series],
  );
  const latestData = useRef(data);
  latestData.current = data;
  const limits = useRef({ atLeast, include });
  limits.current = { atLeast, include };
  // Everything that a plot is made of but its values: only then it is made anew.
  const shape = JSON.stringify([
    series.map(({ id, color, fill, dashed }) => [id, color, fill, dashed]),
    dark,
    props.syncKey,
  ]);

  // biome-ignore lint/correctness/useExhaustiveDependencies: `shape` stands for all of them.
  useEffect(() => {
    if (!host.current || width === 0) return;
    const made = new uPlot(
      chartOptions(latest, limits, tooltip, width, height, dark, setScale),
      latestData.current,
      host.current,
    );
    plot.current = made;
    return () => {
      made.destroy();
      plot.current = null;
    };
  }, [shape, width > 0]);

  useEffect(() => {
    plot.current?.setData(data);
  }, [data]);

  // biome-ignore lint/correctness/useExhaustiveDependencies: the limits are read when the scale is made.
  useEffect(() => {
    plot.current?.setData(latestData.current);
  }, [atLeast, include]);

  useEffect(() => {
    if (width > 0) plot.current?.setSize({ width, height });
  }, [width, height]);

  useEffect(() => {
    const index = series.findIndex(({ id }) => id === focused);
    plot.current?.setSeries(index < 0 ? null : index + 1, { focus: true });
  }, [focused, series]);

  return (
    <div ref={ref} className={styles.chart} data-testid="chart" role="img" aria-label={label} style={{ height }}>
      <div ref={host} />
      <div ref={tooltip} className={styles.tooltip} hidden />
      {overlay && scale ? <div className={styles.overlay}>{overlay(scale)}</div> : null}
    </div>
  );
}

function chartOptions(
  latest: { current: Props },
  limits: { current: { atLeast: number; include: number } },
  tooltip: { current: HTMLDivElement | null },
  width: number,
  height: number,
  dark: boolean,
  setScale: (scale: ChartScale) => void,
): uPlot.Options {
  const { series, syncKey, steps } = latest.current;
  const line = dark ? '#232934' : '#eceef2';
  const text = dark ? '#8b95a7' : '#68728a';
  const font = '11px Inter, "Segoe UI", Roboto, "Liberation Sans", Arial, sans-serif';
  const axis = { stroke: text, font, ticks: { show: false }, grid: { stroke: line, width: 1 } };
  return {
    width,
    height,
    ms: 1,
    padding: [8, 20, 0, 0],
    legend: { show: false },
    focus: { alpha: 0.18 },
    cursor: {
      drag: { x: latest.current.onZoom !== undefined, y: false, setScale: false },
      points: { size: 6, width: 1.5 },
      focus: { prox: 24 },
      ...(syncKey ? { sync: { key: syncKey, setSeries: false } } : {}),
    },
    scales: {
      x: { time: true },
      y: {
        range: (_, min, max) => {
          const { atLeast, include } = limits.current;
          const top = Math.max(max ?? 0, atLeast, include, 1e-12);
          return [Math.min(0, min ?? 0), top * 1.08];
        },
      },
    },
    axes: [
      {
        ...axis,
        grid: { show: false },
        size: 24,
        space: 70,
        incrs: timeSteps,
        gap: 6,
        values: (self, splits) => timeLabels(splits, (self.scales.x?.max ?? 0) - (self.scales.x?.min ?? 0)),
      },
      {
        ...axis,
        gap: 6,
        space: 34,
        size: (_, values) => 14 + Math.max(0, ...(values ?? []).map((value) => value.length)) * 6.1,
        values: (_, splits) => splits.map((split) => (split === 0 ? '0' : trimmed(latest.current.format(split)))),
        ...(steps ? { incrs: steps } : {}),
      },
    ],
    series: [
      {},
      ...series.map(({ label, color, fill, dashed }) => ({
        label,
        stroke: color,
        width: 1.6,
        ...(fill ? { fill: withAlpha(color, 0.12) } : {}),
        ...(dashed ? { dash: [4, 4] } : {}),
        points: { show: (self: uPlot, index: number) => isLonely(self, index) },
        spanGaps: false,
      })),
    ],
    hooks: {
      setSelect: [
        (self) => {
          if (self.select.width < 4) return;
          const start = self.posToVal(self.select.left, 'x');
          const end = self.posToVal(self.select.left + self.select.width, 'x');
          self.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
          latest.current.onZoom?.(start, end);
        },
      ],
      setCursor: [
        (self) => {
          const index = self.cursor.idx ?? null;
          const here = index !== null && (self.cursor.left ?? -1) >= 0;
          latest.current.onHover?.(here ? index : null);
          drawTooltip(self, tooltip.current, here ? index : null, latest.current);
        },
      ],
      draw: [
        (self) => {
          const ratio = devicePixelRatio || 1;
          setScale({
            x: (timeMs) => self.valToPos(timeMs, 'x') + self.bbox.left / ratio,
            y: (value) => self.valToPos(value, 'y') + self.bbox.top / ratio,
            left: self.bbox.left / ratio,
            top: self.bbox.top / ratio,
            width: self.bbox.width / ratio,
            height: self.bbox.height / ratio,
            maxValue: self.scales.y?.max ?? 0,
          });
        },
      ],
    },
  };
}

/** `0.500/s` as `0.5/s`: an axis needs no more digits than tell its lines apart. */
function trimmed(label: string): string {
  return label.replace(/(\.\d*?)0+(?=\D|$)/, '$1').replace(/\.(?=\D|$)/, '');
}

const timeSteps = [
  1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10_800, 21_600, 43_200, 86_400, 172_800, 604_800,
].map((seconds) => seconds * 1000);

/** A value without neighbours makes no line: it needs a point to be seen. */
function isLonely(self: uPlot, seriesIndex: number): boolean {
  const values = self.data[seriesIndex];
  if (!values || values.length > 400) return false;
  let present = 0;
  for (const value of values) if (value !== null && value !== undefined) present++;
  return present <= 2;
}

function withAlpha(color: string, alpha: number): string {
  if (color.startsWith('oklch(')) return color.replace(')', ` / ${alpha})`);
  return `${color}${Math.round(alpha * 255)
    .toString(16)
    .padStart(2, '0')}`;
}

/** The clock; the day where it changes. */
export function timeLabels(splits: readonly number[], lengthMs: number): string[] {
  const seconds = lengthMs < 600e3;
  let day = '';
  return splits.map((split) => {
    const clock = seconds ? formatClock(split, 0) : formatClock(split, 0).slice(0, 5);
    const today = formatDay(split);
    const first = day === '';
    const changed = today !== day && !first;
    day = today;
    if (lengthMs > 4 * 86_400e3) return today;
    return changed ? today : clock;
  });
}

const mostInTooltip = 8;

// By hand rather than by React: it follows the pointer, and must not render the page with it.
function drawTooltip(
  self: uPlot,
  element: HTMLDivElement | null,
  index: number | null,
  { series, times, format }: Props,
): void {
  if (!element) return;
  // Charts that share a cursor all get the event; only the one under the pointer explains.
  if (index === null || !self.root.matches(':hover')) {
    element.hidden = true;
    return;
  }
  const entries = series
    .map(({ label, color, values }) => ({ label, color, value: values[index] ?? null }))
    .filter((entry): entry is { label: string; color: string; value: number } => entry.value !== null)
    .sort((a, b) => b.value - a.value);
  element.replaceChildren();
  const head = document.createElement('div');
  head.className = styles.tooltipTime ?? '';
  const time = times[index] ?? 0;
  head.textContent = `${formatDay(time)} ${formatClock(time, 0)}`;
  element.append(head);
  for (const { label, color, value } of entries.slice(0, mostInTooltip)) {
    const row = document.createElement('div');
    row.className = styles.tooltipRow ?? '';
    const dot = document.createElement('span');
    dot.className = 'dot';
    dot.style.background = color;
    const name = document.createElement('span');
    name.className = styles.tooltipName ?? '';
    name.textContent = label;
    const figure = document.createElement('b');
    figure.textContent = format(value);
    row.append(dot, name, figure);
    element.append(row);
  }
  if (entries.length > mostInTooltip || entries.length === 0) {
    const more = document.createElement('div');
    more.className = styles.tooltipTime ?? '';
    more.textContent = entries.length === 0 ? 'nothing in this step' : `and ${entries.length - mostInTooltip} more`;
    element.append(more);
  }
  element.hidden = false;
  const left = (self.cursor.left ?? 0) + self.bbox.left / (devicePixelRatio || 1);
  const flip = left + element.offsetWidth + 24 > self.width;
  element.style.transform = `translate(${Math.round(flip ? left - element.offsetWidth - 14 : left + 14)}px, 8px)`;
}
