import { parseLogqlMatchers, parsePromqlDuration } from '@signalbox/query-language';

/** A line that a script loads. */
export interface ScriptEntry {
  readonly labels: ReadonlyMap<string, string>;
  readonly time: bigint;
  readonly line: string;
  readonly metadata: readonly (readonly [string, string])[];
}

export interface ScriptSeries {
  readonly labels: ReadonlyMap<string, string>;
  /** Nanoseconds, value. */
  readonly points: readonly (readonly [bigint, number])[];
}

/** What a script is run on. */
export interface ScriptTarget {
  clear(): Promise<void>;
  load(entries: readonly ScriptEntry[]): Promise<void>;
  instant(query: string, time: bigint): Promise<readonly ScriptSeries[]>;
  range(query: string, start: bigint, end: bigint, step: bigint): Promise<readonly ScriptSeries[]>;
}

export interface ScriptEval {
  readonly line: number;
  readonly query: string;
  readonly start: bigint;
  readonly end: bigint;
  /** 0: an instant query. */
  readonly step: bigint;
  readonly expected: readonly {
    readonly labels: ReadonlyMap<string, string>;
    readonly values: readonly (number | undefined)[];
  }[];
  readonly fails: { readonly message?: string; readonly pattern?: string } | undefined;
  readonly isOrdered: boolean;
}

/** Commands of a script, up to and with one evaluation after the other. */
export interface ScriptScenario {
  readonly clears: boolean;
  readonly entries: readonly ScriptEntry[];
  readonly evals: readonly ScriptEval[];
}

/**
 * Parses Loki's script format: `clear`, `load` with lines (`{a="b"} "text" @ 10s [repeat every 10s for 6] [metadata k="v"]`), and
 * `eval instant at … query` or `eval range from … to … step … query` with what is expected below. Throws an Error that names the line.
 */
export function parseScript(text: string): ScriptScenario[] {
  const scenarios: { clears: boolean; entries: ScriptEntry[]; evals: ScriptEval[] }[] = [];
  const lines = text.split('\n');
  let current = { clears: true, entries: [] as ScriptEntry[], evals: [] as ScriptEval[] };
  for (let at = 0; at < lines.length; at++) {
    const line = lines[at] as string;
    if (/^\s*(#|$)/.test(line)) continue;
    const body: { text: string; line: number }[] = [];
    while (/^\s+\S|^\s*#/.test(lines[at + 1] ?? '')) {
      at++;
      const inner = (lines[at] as string).trim();
      // A comment may stand behind what is said, where no text goes on.
      const said = inner.replace(/\s+#[^"`]*$/, '');
      if (!inner.startsWith('#')) body.push({ text: said, line: at + 1 });
    }
    if (line.startsWith('clear') || line.startsWith('load')) {
      if (current.evals.length > 0) {
        scenarios.push(current);
        current = { clears: false, entries: [], evals: [] };
      }
      if (line.startsWith('clear')) current.clears = true;
      for (const entry of body) current.entries.push(...parseEntries(entry.text, entry.line));
    } else current.evals.push(parseEval(line, at + 1, body));
  }
  scenarios.push(current);
  return scenarios;
}

function parseEntries(text: string, line: number): ScriptEntry[] {
  const match =
    /^(\{.*?\})\s+("(?:[^"\\]|\\.)*"|`[^`]*`)\s+@\s*(\S+)(?:\s*\[repeat every (\S+)\s+for (\d+)\])?(?:\s*\[metadata (.*)\])?\s*(?:#.*)?$/.exec(
      text,
    );
  if (!match) throw new Error(`line ${line} is no entry: ${text}`);
  const [, selector = '', quoted = '', at = '', every, times, metadata = ''] = match;
  const labels = labelsOf(selector);
  const count = Number(times ?? 1);
  const step = every === undefined ? 0n : nanoseconds(every);
  const pairs = Array.from(
    metadata.matchAll(/(\w+)="((?:[^"\\]|\\.)*)"/g),
    ([, name = '', value = '']) => [name, value] as const,
  );
  const content = quoted.startsWith('`') ? quoted.slice(1, -1) : (JSON.parse(quoted) as string);
  return Array.from({ length: count }, (_, index) => ({
    labels,
    time: nanoseconds(at) + step * BigInt(index),
    line: content,
    metadata: pairs,
  }));
}

function parseEval(text: string, line: number, body: readonly { text: string; line: number }[]): ScriptEval {
  const instant = /^eval instant at (\S+) (.*)$/.exec(text);
  const range = /^eval range from (\S+) to (\S+) step (\S+) (.*)$/.exec(text);
  if (!instant && !range) throw new Error(`line ${line} is no evaluation: ${text}`);
  const start = nanoseconds((instant ?? range)?.[1] ?? '');
  const expected: { labels: ReadonlyMap<string, string>; values: (number | undefined)[] }[] = [];
  let fails: ScriptEval['fails'];
  let isOrdered = false;
  for (const { text: wanted, line: place } of body) {
    const [, kind = '', rest = ''] = /^expect (\w+)\s*(.*)$/.exec(wanted) ?? [];
    if (kind === 'fail') {
      const [, how = '', what = ''] = /^(msg|regex):\s*(.*)$/.exec(rest) ?? [];
      fails = how === 'msg' ? { message: what } : how === 'regex' ? { pattern: what } : {};
    } else if (kind === 'ordered') isOrdered = true;
    else if (kind !== 'empty' && !wanted.startsWith('skip ')) {
      // A number alone is a scalar, which has no labels.
      const [, selector, values = ''] = /^(\{.*\}|)\s*([-+\w. ]+)$/.exec(wanted) ?? [];
      if (selector === undefined) throw new Error(`line ${place} expects nothing that is known: ${wanted}`);
      const numbers = values.trim().split(/\s+/);
      expected.push({ labels: selector === '' ? new Map() : labelsOf(selector), values: numbers.map(numberOf) });
    }
  }
  return {
    line,
    query: (instant?.[2] ?? range?.[4] ?? '').trim(),
    start,
    end: range ? nanoseconds(range[2] ?? '') : start,
    step: range ? nanoseconds(range[3] ?? '') : 0n,
    expected,
    fails,
    isOrdered,
  };
}

function labelsOf(selector: string): Map<string, string> {
  return new Map(parseLogqlMatchers(selector).map(({ name, value }) => [name, value]));
}

function numberOf(text: string): number | undefined {
  if (text === '_') return undefined;
  return Number(text.replace('Inf', 'Infinity'));
}

function nanoseconds(duration: string): bigint {
  const milliseconds = parsePromqlDuration(duration);
  if (milliseconds === undefined) throw new Error(`${duration} is no duration`);
  return BigInt(milliseconds) * 1_000_000n;
}

/** Evaluates, and throws an Error that says what is not as the script expects. */
export async function checkEval(target: ScriptTarget, one: ScriptEval): Promise<void> {
  let series: readonly ScriptSeries[];
  try {
    series =
      one.step === 0n
        ? await target.instant(one.query, one.start)
        : await target.range(one.query, one.start, one.end, one.step);
  } catch (error) {
    if (!one.fails) throw error;
    const message = error instanceof Error ? error.message : String(error);
    const { message: wanted, pattern } = one.fails;
    if (wanted !== undefined && !message.includes(wanted)) throw new Error(`fails with ${message}, not ${wanted}`);
    if (pattern !== undefined && !new RegExp(pattern).test(message))
      throw new Error(`fails with ${message}, not ${pattern}`);
    return;
  }
  if (one.fails) throw new Error(`does not fail, gives ${shown(series)}`);
  const wanted = one.expected.map(({ labels, values }) => ({
    labels,
    points: values.flatMap((value, index) =>
      value === undefined ? [] : [[one.start + one.step * BigInt(index), value] as const],
    ),
  }));
  const order = one.isOrdered ? (texts: string[]) => texts : (texts: string[]) => texts.sort();
  const [left, right] = [order(wanted.map(describeSeries)), order(series.map(describeSeries))];
  if (left.join('\n') !== right.join('\n')) throw new Error(`expected\n${left.join('\n')}\ngot\n${right.join('\n')}`);
}

function shown(series: readonly ScriptSeries[]): string {
  return series.map(describeSeries).join('; ');
}

/** Values in twelve digits: sums of floats come out a little different in another order. */
function describeSeries({ labels, points }: ScriptSeries): string {
  const names = [...labels].map(([name, value]) => `${name}=${JSON.stringify(value)}`).sort();
  return `{${names.join(', ')}} ${points.map(([time, value]) => `${Number(value.toPrecision(12))}@${time}`).join(' ')}`;
}
