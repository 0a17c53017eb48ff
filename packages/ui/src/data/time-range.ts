/** A range as the page's address and the API write it: `now-15m`, `now`, or Unix milliseconds as text. */
export interface TimeRange {
  readonly from: string;
  readonly to: string;
}

export const defaultRange: TimeRange = { from: 'now-1h', to: 'now' };

export const relativeRanges = ['5m', '15m', '30m', '1h', '3h', '6h', '12h', '1d', '2d', '7d'] as const;

const unitMs = { s: 1e3, m: 60e3, h: 3600e3, d: 86_400e3, w: 604_800e3 } as const;

/** Milliseconds of `15m`, `2h`, `7d`; null for anything else. */
function parseSpanOfTime(text: string): number | null {
  const match = /^(\d{1,6})([smhdw])$/.exec(text);
  return match ? Number(match[1]) * unitMs[match[2] as keyof typeof unitMs] : null;
}

/** The instant of one end of a range, in Unix milliseconds; null when the text is no instant. */
export function parseInstant(text: string, nowMs: number): number | null {
  if (text === 'now') return nowMs;
  if (text.startsWith('now-')) {
    const back = parseSpanOfTime(text.slice(4));
    return back === null ? null : nowMs - back;
  }
  if (/^\d{10,16}$/.test(text)) return Number(text);
  const parsed = Date.parse(text);
  return Number.isNaN(parsed) ? null : parsed;
}

/** Start and end in Unix milliseconds; the default range when the text makes no sense or runs backwards. */
export function resolveRange({ from, to }: TimeRange, nowMs: number): { startMs: number; endMs: number } {
  const startMs = parseInstant(from, nowMs);
  const endMs = parseInstant(to, nowMs);
  if (startMs === null || endMs === null || startMs >= endMs) return { startMs: nowMs - 3600e3, endMs: nowMs };
  return { startMs, endMs };
}

/** Whether the range ends now, so that new data can appear in it. */
export function isLive(range: TimeRange): boolean {
  return range.to === 'now';
}

export function absoluteRange(startMs: number, endMs: number): TimeRange {
  const start = Math.floor(startMs);
  return { from: String(start), to: String(Math.max(start + 1, Math.ceil(endMs))) };
}

const words: Record<string, string> = { s: 'second', m: 'minute', h: 'hour', d: 'day', w: 'week' };

/** `Last 15 minutes`, or the two instants in the reader's time zone. */
export function describeRange(range: TimeRange, nowMs: number): string {
  const match = /^now-(\d+)([smhdw])$/.exec(range.from);
  if (match && range.to === 'now') {
    const count = Number(match[1]);
    const word = words[match[2] ?? ''] ?? '';
    return count === 1 ? `Last ${word}` : `Last ${count} ${word}s`;
  }
  const { startMs, endMs } = resolveRange(range, nowMs);
  const sameDay = new Date(startMs).toDateString() === new Date(endMs).toDateString();
  const seconds = endMs - startMs < 600e3 ? ({ second: '2-digit' } as const) : {};
  const clock = { hour: '2-digit', minute: '2-digit', hourCycle: 'h23', ...seconds } as const;
  const day = { month: 'short', day: 'numeric' } as const;
  const start = new Intl.DateTimeFormat('en', { ...day, ...clock }).format(startMs);
  const end = new Intl.DateTimeFormat('en', sameDay ? clock : { ...day, ...clock }).format(endMs);
  return `${start} – ${end}`;
}

export const refreshIntervals = ['off', '2s', '5s'] as const;
export type RefreshInterval = (typeof refreshIntervals)[number];
export const defaultRefresh: RefreshInterval = '5s';
