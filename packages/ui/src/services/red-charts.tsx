import { Skeleton, useComputedColorScheme } from '@mantine/core';
import type { RedSeries } from '@signalbox/api-contract';
import { useMemo } from 'react';
import { formatDuration, formatRate, formatRatio } from '../data/format.ts';
import { TimeSeriesChart } from '../time/time-series-chart.tsx';
import { useTime } from '../time/use-time.ts';
import styles from './service-page.module.css';

const height = 170;

/** Rate, errors and durations over time, side by side with one cursor. */
export function RedCharts({ series }: { series: RedSeries | undefined }) {
  const { zoom } = useTime();
  const dark = useComputedColorScheme('light', { getInitialValueInEffect: false }) === 'dark';
  const colors = dark
    ? { rate: '#7f9ff5', error: '#f26a66', p50: '#5cc795', p95: '#8aa3f5', p99: '#c58af0' }
    : { rate: '#4f70e3', error: '#d4302f', p50: '#2f9e6b', p95: '#4f70e3', p99: '#9c4fd6' };
  const lines = useMemo(
    () =>
      series
        ? {
            rate: [{ id: 'rate', label: 'Rate', color: colors.rate, values: series.rate, fill: true }],
            errors: [{ id: 'errors', label: 'Errors', color: colors.error, values: series.errorRatio, fill: true }],
            durations: [
              { id: 'p50', label: 'p50', color: colors.p50, values: series.p50 },
              { id: 'p95', label: 'p95', color: colors.p95, values: series.p95 },
              { id: 'p99', label: 'p99', color: colors.p99, values: series.p99 },
            ],
          }
        : null,
    [series, colors.rate, colors.error, colors.p50, colors.p95, colors.p99],
  );
  if (!series || !lines)
    return (
      <div className={styles.charts}>
        {['rate', 'errors', 'durations'].map((key) => (
          <Skeleton key={key} height={height + 32} radius={8} />
        ))}
      </div>
    );
  return (
    <div className={styles.charts}>
      <section className={`card ${styles.chart}`}>
        <div className={styles.chartHead}>
          <h2>Requests per second</h2>
        </div>
        <TimeSeriesChart
          times={series.times}
          series={lines.rate}
          format={formatRate}
          height={height}
          label="Requests per second over time"
          syncKey="red"
          onZoom={zoom}
        />
      </section>
      <section className={`card ${styles.chart}`}>
        <div className={styles.chartHead}>
          <h2>Share of requests that failed</h2>
        </div>
        <TimeSeriesChart
          times={series.times}
          series={lines.errors}
          format={formatRatio}
          height={height}
          label="Share of failed requests over time"
          syncKey="red"
          atLeast={0.01}
          onZoom={zoom}
        />
      </section>
      <section className={`card ${styles.chart}`}>
        <div className={styles.chartHead}>
          <h2>Duration</h2>
          {lines.durations.map(({ id, label, color }) => (
            <span key={id} className={styles.key}>
              <i style={{ background: color }} />
              {label}
            </span>
          ))}
        </div>
        <TimeSeriesChart
          times={series.times}
          series={lines.durations}
          format={formatDuration}
          height={height}
          label="Quantiles of the duration over time"
          syncKey="red"
          onZoom={zoom}
        />
      </section>
    </div>
  );
}
