import { quoteGo } from './quote.ts';

const UNITS: readonly (readonly [unit: string, milliseconds: number])[] = [
  ['y', 365 * 86_400_000],
  ['w', 7 * 86_400_000],
  ['d', 86_400_000],
  ['h', 3_600_000],
  ['m', 60_000],
  ['s', 1000],
  ['ms', 1],
];

const DURATION = new RegExp(`^${UNITS.map(([unit]) => `(?:(\\d+)${unit})?`).join('')}$`);

/** Go's durations are 64-bit numbers of nanoseconds. */
const MAX_MILLISECONDS = 9_223_372_036_854;

/** Milliseconds of a duration such as `1h30m`, with units from large to small; undefined: not one, or longer than 292 years. */
export function parsePromqlDuration(text: string): number | undefined {
  if (text === '0') return 0;
  const match = text === '' ? null : DURATION.exec(text);
  if (!match) return undefined;
  const milliseconds = UNITS.reduce((sum, [, size], index) => sum + Number(match[index + 1] ?? 0) * size, 0);
  return milliseconds <= MAX_MILLISECONDS ? milliseconds : undefined;
}

/** What is wrong with a text that is no duration. */
export function durationProblem(text: string): string {
  const units = UNITS.map(([unit]) => unit);
  let last = -1;
  for (const [, unit = ''] of text.matchAll(/\d+(\D+)/g)) {
    const place = units.indexOf(unit);
    if (place < 0) return `unknown unit ${quoteGo(unit)} in duration ${quoteGo(text)}`;
    if (place <= last) return `not a valid duration string: ${quoteGo(text)}`;
    last = place;
  }
  return DURATION.test(text) ? 'duration out of range' : `not a valid duration string: ${quoteGo(text)}`;
}

/** The duration as Prometheus writes it; years and weeks only where nothing smaller is left. */
export function formatPromqlDuration(milliseconds: number): string {
  let rest = Math.trunc(milliseconds);
  let text = '';
  for (const [unit, size] of UNITS) {
    if ((unit === 'y' || unit === 'w') && rest % size !== 0) continue;
    const count = Math.floor(rest / size);
    if (count > 0) text += `${count}${unit}`;
    rest -= count * size;
  }
  return text === '' ? '0s' : text;
}
