/** Numbers for people. Every function gives text of about the same width for values of the same size, so that columns stay calm. */

const narrowSpace = '\u202f';

function significant(value: number, digits = 3): string {
  if (value === 0) return '0';
  // Rounded before it is measured: 0.9999 is 1.00, not 1.000.
  const magnitude = Math.floor(Math.log10(Math.abs(Number(value.toPrecision(digits)))));
  const decimals = Math.max(0, Math.min(6, digits - 1 - magnitude));
  return value.toFixed(decimals);
}

/** `830 µs`, `4.10 ms`, `312 ms`, `1.24 s`, `2 m 05 s`, `3 h 12 m`. */
export function formatDuration(milliseconds: number | null | undefined): string {
  if (milliseconds === null || milliseconds === undefined || !Number.isFinite(milliseconds)) return '–';
  const size = Math.abs(milliseconds);
  const sign = milliseconds < 0 ? '−' : '';
  if (size === 0) return `0${narrowSpace}ms`;
  if (size < 0.0009995) return `${sign}${Math.round(size * 1e6)}${narrowSpace}ns`;
  if (size < 0.9995) return `${sign}${significant(size * 1e3)}${narrowSpace}µs`;
  if (size < 999.5) return `${sign}${significant(size)}${narrowSpace}ms`;
  if (size < 59_950) return `${sign}${significant(size / 1e3)}${narrowSpace}s`;
  const seconds = Math.round(size / 1e3);
  if (seconds < 3600) return `${sign}${Math.floor(seconds / 60)}${narrowSpace}m ${pad(seconds % 60)}${narrowSpace}s`;
  const minutes = Math.round(seconds / 60);
  if (minutes < 1440) return `${sign}${Math.floor(minutes / 60)}${narrowSpace}h ${pad(minutes % 60)}${narrowSpace}m`;
  const hours = Math.round(minutes / 60);
  return `${sign}${Math.floor(hours / 24)}${narrowSpace}d ${pad(hours % 24)}${narrowSpace}h`;
}

export function formatNanoseconds(nanoseconds: number): string {
  return formatDuration(nanoseconds / 1e6);
}

const grouped = new Intl.NumberFormat('en-US', { maximumFractionDigits: 0 });

/** `1,204` */
export function formatCount(count: number): string {
  return Number.isFinite(count) ? grouped.format(count) : '–';
}

/** `1,204`, `12.4k`, `3.1M`. */
export function formatCompact(value: number | null | undefined): string {
  if (value === null || value === undefined || !Number.isFinite(value)) return '–';
  const size = Math.abs(value);
  if (size >= 999.5e9) return `${significant(value / 1e12)}T`;
  if (size >= 999.5e6) return `${significant(value / 1e9)}G`;
  if (size >= 999.5e3) return `${significant(value / 1e6)}M`;
  if (size >= 9999.5) return `${significant(value / 1e3)}k`;
  if (Number.isInteger(value)) return grouped.format(value);
  if (size >= 999.5) return grouped.format(value);
  if (size < 1e-6) return value.toExponential(1);
  return significant(value);
}

/** Per second: `12.4/s`; slow rates per minute or hour, so that they keep digits: `2.00/min`. */
export function formatRate(perSecond: number | null | undefined): string {
  if (perSecond === null || perSecond === undefined || !Number.isFinite(perSecond)) return '–';
  if (perSecond === 0) return '0/s';
  if (perSecond >= 0.0995) return `${formatCompact(perSecond)}/s`;
  if (perSecond * 60 >= 0.995) return `${significant(perSecond * 60, 2)}/min`;
  return `${significant(perSecond * 3600, 2)}/h`;
}

/** A ratio of 0…1 as `0 %`, `0.04 %`, `2.1 %`, `100 %`. */
export function formatRatio(ratio: number | null | undefined): string {
  if (ratio === null || ratio === undefined || !Number.isFinite(ratio)) return '–';
  const percent = ratio * 100;
  if (percent === 0) return `0${narrowSpace}%`;
  if (percent < 0.01) return `<0.01${narrowSpace}%`;
  return `${percent >= 99.95 ? '100' : significant(percent, 2)}${narrowSpace}%`;
}

/** Bytes in powers of 1024: `18.0 KiB`. */
export function formatBytes(bytes: number | null | undefined): string {
  if (bytes === null || bytes === undefined || !Number.isFinite(bytes)) return '–';
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB'];
  let value = bytes;
  let unit = 0;
  while (Math.abs(value) >= 1023.5 && unit < units.length - 1) {
    value /= 1024;
    unit++;
  }
  return `${unit === 0 && Number.isInteger(value) ? String(value) : significant(value)}${narrowSpace}${units[unit]}`;
}

function pad(value: number, width = 2): string {
  return String(value).padStart(width, '0');
}

/** `14:03:22.123` in the reader's time zone. */
export function formatClock(milliseconds: number, digits: 0 | 3 = 3): string {
  const date = new Date(milliseconds);
  const clock = `${pad(date.getHours())}:${pad(date.getMinutes())}:${pad(date.getSeconds())}`;
  return digits === 0 ? clock : `${clock}.${pad(date.getMilliseconds(), 3)}`;
}

const dayFormat = new Intl.DateTimeFormat('en', { month: 'short', day: '2-digit' });

/** `Nov 21` */
export function formatDay(milliseconds: number): string {
  return dayFormat.format(milliseconds);
}

/** `Nov 21, 2026, 14:03:22.123456789` from decimal nanoseconds: every digit that was sent. */
export function formatUnixNano(unixNano: string): string {
  const milliseconds = unixNanoToMs(unixNano);
  const date = new Date(milliseconds);
  if (Number.isNaN(date.getTime())) return unixNano;
  return `${formatDay(milliseconds)}, ${date.getFullYear()}, ${formatClock(milliseconds, 0)}.${unixNano.padStart(19, '0').slice(-9)}`;
}

/** Milliseconds, whole; a number cannot hold the nanoseconds of our time. */
export function unixNanoToMs(unixNano: string): number {
  return unixNano.length <= 6 ? 0 : Number(unixNano.slice(0, -6));
}

/** `just now`, `12 s ago`, `4 min ago`, `3 h ago`, `2 d ago`. */
export function formatAgo(milliseconds: number, nowMs: number): string {
  const seconds = Math.round((nowMs - milliseconds) / 1e3);
  if (seconds < 2) return 'just now';
  if (seconds < 60) return `${seconds}${narrowSpace}s ago`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)}${narrowSpace}min ago`;
  if (seconds < 86_400) return `${Math.floor(seconds / 3600)}${narrowSpace}h ago`;
  return `${Math.floor(seconds / 86_400)}${narrowSpace}d ago`;
}
