import type { Formatter } from '../data/format-unit.ts';
import type { SeriesFigures } from '../data/metric-choice.ts';
import type { ChartSeries } from '../time/time-series-chart.tsx';
import styles from './metrics-page.module.css';

interface Props {
  series: readonly ChartSeries[];
  figures: readonly SeriesFigures[];
  format: Formatter;
  hidden: ReadonlySet<string>;
  onToggle: (id: string) => void;
  onFocus: (id: string | null) => void;
}

/** The lines and their figures; a click hides a line or shows it again. */
export function MetricLegend({ series, figures, format, hidden, onToggle, onFocus }: Props) {
  return (
    <div className={`card ${styles.legend}`}>
      <table className="table">
        <thead>
          <tr>
            <th>Series</th>
            <th className="num" style={{ width: 100 }}>
              Last
            </th>
            <th className="num" style={{ width: 100 }}>
              Mean
            </th>
            <th className="num" style={{ width: 100 }}>
              Min
            </th>
            <th className="num" style={{ width: 100 }}>
              Max
            </th>
          </tr>
        </thead>
        <tbody>
          {series.map(({ id, label, color }, index) => {
            const { last, mean, min, max } = figures[index] ?? { last: null, mean: null, min: null, max: null };
            return (
              <tr
                key={id}
                className={hidden.has(id) ? styles.hidden : undefined}
                onClick={() => onToggle(id)}
                onMouseEnter={() => onFocus(id)}
                onMouseLeave={() => onFocus(null)}
              >
                <td>
                  <button type="button" className={`plain ${styles.label}`} aria-pressed={!hidden.has(id)}>
                    <span className={styles.line} style={{ background: color }} />
                    <span className="truncate" title={label}>
                      {label}
                    </span>
                  </button>
                </td>
                <td className="num">{format(last)}</td>
                <td className="num">{format(mean)}</td>
                <td className="num">{format(min)}</td>
                <td className="num">{format(max)}</td>
              </tr>
            );
          })}
        </tbody>
      </table>
    </div>
  );
}
