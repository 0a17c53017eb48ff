import { memo } from 'react';

interface Props {
  values: readonly (number | null)[];
  color: string;
  width?: number;
  height?: number;
  /** The top of the scale; default the largest value. */
  max?: number;
  label: string;
}

/** A small line with a filled area; gaps where there are no values. */
export const Sparkline = memo(function Sparkline({ values, color, width = 96, height = 22, max, label }: Props) {
  const flat = values.every((value) => !value);
  const top = Math.max(max ?? 0, ...values.map((value) => value ?? 0)) || 1;
  const step = values.length > 1 ? width / (values.length - 1) : width;
  const y = (value: number) => height - 1.5 - (value / top) * (height - 3);
  let line = '';
  let area = '';
  let open = false;
  let lastX = 0;
  values.forEach((value, index) => {
    const x = index * step;
    if (value === null) {
      if (open) area += `L${lastX.toFixed(1)} ${height}Z`;
      open = false;
      return;
    }
    const point = `${x.toFixed(1)} ${y(value).toFixed(1)}`;
    line += `${open ? 'L' : 'M'}${point}`;
    area += open ? `L${point}` : `M${x.toFixed(1)} ${height}L${point}`;
    open = true;
    lastX = x;
  });
  if (open) area += `L${lastX.toFixed(1)} ${height}Z`;
  return (
    <svg
      width={width}
      height={height}
      viewBox={`0 0 ${width} ${height}`}
      role="img"
      aria-label={label}
      preserveAspectRatio="none"
      style={{ display: 'block', width: '100%', overflow: 'visible' }}
    >
      <path d={area} fill={color} opacity={0.13} />
      <path
        d={line}
        fill="none"
        stroke={flat ? 'var(--line)' : color}
        strokeWidth={1.4}
        vectorEffect="non-scaling-stroke"
        strokeLinejoin="round"
        strokeLinecap="round"
      />
    </svg>
  );
});
