import type { ExemplarsResponse } from '@signalbox/api-contract';
import { useNavigate } from '@tanstack/react-router';
import { useMemo, useState } from 'react';
import { formatClock, formatDay, unixNanoToMs } from '../data/format.ts';
import { unitFormatter } from '../data/format-unit.ts';
import { spreadExemplars } from '../data/metric-choice.ts';
import type { ChartScale } from '../time/time-series-chart.tsx';
import styles from './metrics-page.module.css';

type Exemplar = ExemplarsResponse['exemplars'][number];

interface Props {
  exemplars: readonly Exemplar[];
  scale: ChartScale;
  unit: string;
  /** False: the axis shows rates; the dots stand in a row at the bottom, by time alone. */
  sameAxis: boolean;
}

const apart = 11;

/** Single measurements with the trace that they were made in. Buttons over the plot: they can be focused, and hit. */
export function ExemplarDots({ exemplars, scale, unit, sameAxis }: Props) {
  const navigate = useNavigate();
  const [hovered, setHovered] = useState<{ exemplar: Exemplar; x: number; y: number } | null>(null);
  const format = unitFormatter(unit);
  const placed = useMemo(() => {
    const inside = exemplars
      .filter(({ traceId }) => traceId !== '')
      .map((exemplar) => {
        const y = sameAxis ? scale.y(Math.min(exemplar.value, scale.maxValue)) : scale.top + scale.height - 6;
        return { exemplar, x: scale.x(unixNanoToMs(exemplar.timeUnixNano)), y: Math.max(scale.top + 5, y) };
      })
      .filter(({ x }) => x >= scale.left && x <= scale.left + scale.width);
    return spreadExemplars(inside, apart);
  }, [exemplars, scale, sameAxis]);

  return (
    <>
      {placed.map(({ exemplar, x, y }) => (
        <button
          key={`${exemplar.timeUnixNano}${exemplar.traceId}${exemplar.spanId}`}
          type="button"
          className={styles.exemplar}
          data-testid="exemplar-dot"
          data-trace-id={exemplar.traceId}
          data-clamped={(sameAxis && exemplar.value > scale.maxValue) || undefined}
          aria-label={`${format(exemplar.value)} at ${formatClock(unixNanoToMs(exemplar.timeUnixNano), 0)}: open its trace`}
          style={{ left: x, top: y }}
          onMouseEnter={() => setHovered({ exemplar, x, y })}
          onMouseLeave={() => setHovered(null)}
          onFocus={() => setHovered({ exemplar, x, y })}
          onBlur={() => setHovered(null)}
          onClick={() =>
            void navigate({
              to: '/traces/$traceId',
              params: { traceId: exemplar.traceId },
              search: { span: exemplar.spanId || undefined },
            })
          }
        />
      ))}
      {hovered ? (
        <div
          className={styles.tip}
          style={{
            top: Math.min(hovered.y + 10, scale.top + scale.height - 40),
            ...(hovered.x > scale.left + scale.width - 240 ? { right: 12 } : { left: hovered.x + 10 }),
          }}
        >
          <b>{format(hovered.exemplar.value)}</b>{' '}
          <span className="muted">
            {formatDay(unixNanoToMs(hovered.exemplar.timeUnixNano))}{' '}
            {formatClock(unixNanoToMs(hovered.exemplar.timeUnixNano))}
          </span>
          {Object.entries(hovered.exemplar.labels)
            .slice(0, 6)
            .map(([key, value]) => (
              <div key={key} className="truncate">
                <span className="muted">{key}</span> {value}
              </div>
            ))}
          <div className="mono truncate">{hovered.exemplar.traceId}</div>
        </div>
      ) : null}
    </>
  );
}
