import { formatGeneral, formatShortest } from '../../go-template/format-float.ts';
import { TemplateError } from '../../go-template/template-error.ts';

const LARGE = ['k', 'M', 'G', 'T', 'P', 'E', 'Z', 'Y'];
const LARGE_BINARY = ['ki', 'Mi', 'Gi', 'Ti', 'Pi', 'Ei', 'Zi', 'Yi'];
const SMALL = ['m', 'u', 'n', 'p', 'f', 'a', 'z', 'y'];

/** 1234567 → `1.235M`, 0.0012 → `1.2m`. */
export function humanize(value: number): string {
  if (value === 0 || !Number.isFinite(value)) return formatGeneral(value, 4);
  return Math.abs(value) >= 1 ? scaleDown(value, 1000, LARGE) : scaleUp(value);
}

/** 1234567 → `1.177Mi`. */
export function humanize1024(value: number): string {
  if (Math.abs(value) <= 1 || !Number.isFinite(value)) return formatGeneral(value, 4);
  return scaleDown(value, 1024, LARGE_BINARY);
}

/** Seconds: 93784 → `1d 2h 3m 4s`, 1.5 → `1.5s`, 0.0012 → `1.2ms`. */
export function humanizeDuration(seconds: number): string {
  if (!Number.isFinite(seconds)) return formatGeneral(seconds, 4);
  if (seconds === 0) return `${formatGeneral(seconds, 4)}s`;
  if (Math.abs(seconds) < 1) return `${scaleUp(seconds)}s`;
  const sign = seconds < 0 ? '-' : '';
  const whole = Math.trunc(Math.abs(seconds));
  const [days, hours, minutes] = [
    Math.floor(whole / 86_400),
    Math.floor(whole / 3600) % 24,
    Math.floor(whole / 60) % 60,
  ];
  if (days > 0) return `${sign}${days}d ${hours}h ${minutes}m ${whole % 60}s`;
  if (hours > 0) return `${sign}${hours}h ${minutes}m ${whole % 60}s`;
  if (minutes > 0) return `${sign}${minutes}m ${whole % 60}s`;
  return `${sign}${formatGeneral(Math.abs(seconds), 4)}s`;
}

/** Seconds since 1970 in Go's form of a time: 1435065584.128 → `2015-06-23 13:19:44.128 +0000 UTC`. */
export function humanizeTimestamp(seconds: number): string {
  if (Number.isFinite(seconds) && Math.abs(seconds) * 1e9 > 2 ** 63) {
    throw new TemplateError(
      `${formatShortest(seconds)} cannot be represented as a nanoseconds timestamp since it overflows int64`,
    );
  }
  return Number.isFinite(seconds) ? goTime(Math.trunc(seconds * 1000)) : formatGeneral(seconds, 4);
}

/** Go's default form of a time in UTC. `timeMs`: milliseconds since 1970. */
export function goTime(timeMs: number): string {
  const date = new Date(timeMs);
  if (Number.isNaN(date.getTime())) return formatGeneral(timeMs / 1000, 4);
  const [day, time = ''] = date.toISOString().split('T');
  return `${day} ${time.slice(0, 8)}${fraction(time.slice(9, 12))} +0000 UTC`;
}

function fraction(milliseconds: string): string {
  const digits = milliseconds.replace(/0+$/, '');
  return digits === '' ? '' : `.${digits}`;
}

function scaleDown(value: number, base: number, prefixes: readonly string[]): string {
  let scaled = value;
  let prefix = '';
  for (const next of prefixes) {
    if (Math.abs(scaled) < base) break;
    prefix = next;
    scaled /= base;
  }
  return `${formatGeneral(scaled, 4)}${prefix}`;
}

function scaleUp(value: number): string {
  let scaled = value;
  let prefix = '';
  for (const next of SMALL) {
    if (Math.abs(scaled) >= 1) break;
    prefix = next;
    scaled *= 1000;
  }
  return `${formatGeneral(scaled, 4)}${prefix}`;
}
