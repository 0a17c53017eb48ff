import { ProtocolDecodeError } from '../protocol-decode-error.ts';
import { boundLabel, type ExposedSample, type Exposition } from './exposition.ts';
import { doubleOf, type LabelPair, type SeriesExemplar } from './prometheus-batch.ts';

const NAME = /[a-zA-Z_:][a-zA-Z0-9_:]*/y;
const NUMBER = /[^\s#]+/y;
const SPACES = /[ \t]*/y;
const HELP = /^#[ \t]+HELP[ \t]+("(?:[^"\\]|\\.)*"|\S+)(?:[ \t]+(.*))?$/;
const TYPE = /^#[ \t]+TYPE[ \t]+("(?:[^"\\]|\\.)*"|\S+)[ \t]+(\w+)/;
const DECIMAL = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i;
const MAX_LABELS = 512;

/**
 * Reads what a target exposes: Prometheus's text format 0.0.4 or OpenMetrics 1.0, names in quotes included. Bounds and quantiles in the labels
 * of histograms and summaries are written in one way. Throws ProtocolDecodeError with the number of the line.
 */
export function parseExposition(text: string, format: { readonly openMetrics: boolean }): Exposition {
  const samples: ExposedSample[] = [];
  const help = new Map<string, string>();
  const boundedBy = new Map<string, 'le' | 'quantile' | null>();
  let number = 0;
  let ended = false;
  for (const line of text.split('\n')) {
    number++;
    if (line.trim() === '') continue;
    if (ended) throw new ProtocolDecodeError(`line ${number}: there is something behind # EOF`);
    if (line.startsWith('#')) {
      if (format.openMetrics && line.trim() === '# EOF') ended = true;
      const found = HELP.exec(line);
      if (found?.[1] !== undefined) help.set(unquoted(found[1]), unescaped(found[2] ?? ''));
      const type = TYPE.exec(line);
      if (type?.[1] !== undefined) boundedBy.set(...boundLabelOf(unquoted(type[1]), type[2] ?? ''));
      continue;
    }
    const sample = new LineReader(line.replace(/\r$/, ''), number, format.openMetrics).sample();
    samples.push(withBound(sample, boundedBy.get(sample.name)));
  }
  if (format.openMetrics && !ended) throw new ProtocolDecodeError('the text does not end with # EOF');
  return { samples, help };
}

/** Which series of a family have a number in a label, and in which. */
function boundLabelOf(family: string, type: string): [name: string, label: 'le' | 'quantile' | null] {
  if (type === 'histogram' || type === 'gaugehistogram') return [`${family}_bucket`, 'le'];
  return [family, type === 'summary' ? 'quantile' : null];
}

function withBound(sample: ExposedSample, bound: 'le' | 'quantile' | null | undefined): ExposedSample {
  if (!bound) return sample;
  const labels = sample.labels.map(([key, value]): LabelPair => {
    if (key !== bound || !DECIMAL.test(value)) return [key, value];
    return [key, boundLabel(Number(value))];
  });
  return { ...sample, labels };
}

class LineReader {
  readonly #line: string;
  readonly #number: number;
  readonly #openMetrics: boolean;
  #position = 0;

  constructor(line: string, number: number, openMetrics: boolean) {
    this.#line = line;
    this.#number = number;
    this.#openMetrics = openMetrics;
  }

  sample(): ExposedSample {
    this.#match(SPACES);
    let name = this.#match(NAME);
    const labels: LabelPair[] = [];
    this.#match(SPACES);
    if (this.#line[this.#position] === '{') {
      const quoted = this.#braces(labels);
      if (name === '') name = quoted;
    }
    if (name === '') throw this.#fail('a name is missing');
    const value = this.#float('a value');
    this.#match(SPACES);
    const hasTime = this.#position < this.#line.length && this.#line[this.#position] !== '#';
    const time = hasTime ? this.#float('a time') : null;
    this.#match(SPACES);
    const exemplars = this.#line[this.#position] === '#' ? [this.#exemplar()] : [];
    this.#match(SPACES);
    if (this.#position < this.#line.length) throw this.#fail('there is more than was expected');
    const timeMs = time === null ? null : this.#openMetrics ? time * 1000 : time;
    return { name, labels, value, timeMs, startMs: null, exemplars };
  }

  #exemplar(): SeriesExemplar {
    if (!this.#openMetrics) throw this.#fail('exemplars need OpenMetrics');
    this.#position++;
    this.#match(SPACES);
    const labels: LabelPair[] = [];
    if (this.#line[this.#position] !== '{') throw this.#fail('labels of an exemplar are missing');
    this.#braces(labels);
    const value = this.#float('a value of an exemplar');
    this.#match(SPACES);
    const time = this.#position < this.#line.length ? this.#float('a time of an exemplar') : 0;
    return { labels, value, timeMs: time * 1000 };
  }

  /** Reads `{a="b","c.d"="e"}`; returns a name that stands in it alone, in quotes. */
  #braces(labels: LabelPair[]): string {
    let name = '';
    this.#position++;
    for (;;) {
      this.#match(SPACES);
      if (this.#line[this.#position] === '}') break;
      const quoted = this.#line[this.#position] === '"';
      const key = quoted ? this.#string() : this.#match(NAME);
      this.#match(SPACES);
      if (this.#line[this.#position] === '=') {
        this.#position++;
        this.#match(SPACES);
        if (key === '' || this.#line[this.#position] !== '"') throw this.#fail('a label is malformed');
        labels.push([key, this.#string()]);
        if (labels.length > MAX_LABELS) throw this.#fail(`there are more than ${MAX_LABELS} labels`);
      } else if (quoted && name === '') {
        name = key;
      } else {
        throw this.#fail('a label is malformed');
      }
      this.#match(SPACES);
      if (this.#line[this.#position] === ',') this.#position++;
      else if (this.#line[this.#position] !== '}') throw this.#fail('labels are not closed');
    }
    this.#position++;
    return name;
  }

  #string(): string {
    const start = ++this.#position;
    let escapes = false;
    for (; this.#position < this.#line.length; this.#position++) {
      const character = this.#line[this.#position];
      if (character === '\\') {
        escapes = true;
        this.#position++;
      } else if (character === '"') {
        const text = this.#line.slice(start, this.#position++);
        return escapes ? unescaped(text) : text;
      }
    }
    throw this.#fail('a text is not closed');
  }

  #float(what: string): number {
    this.#match(SPACES);
    const text = this.#match(NUMBER);
    if (DECIMAL.test(text)) return Number(text);
    if (/^\+?inf(inity)?$/i.test(text)) return Number.POSITIVE_INFINITY;
    if (/^-inf(inity)?$/i.test(text)) return Number.NEGATIVE_INFINITY;
    if (/^[+-]?nan$/i.test(text)) return doubleOf(1, 0x7ff8_0000);
    throw this.#fail(`${what} is no number`);
  }

  #match(pattern: RegExp): string {
    pattern.lastIndex = this.#position;
    const found = pattern.exec(this.#line)?.[0] ?? '';
    this.#position += found.length;
    return found;
  }

  #fail(what: string): ProtocolDecodeError {
    return new ProtocolDecodeError(`line ${this.#number}, column ${this.#position + 1}: ${what}`);
  }
}

function unquoted(name: string): string {
  return name.startsWith('"') ? unescaped(name.slice(1, -1)) : name;
}

function unescaped(text: string): string {
  return text.replace(/\\(.)/g, (_, letter: string) => (letter === 'n' ? '\n' : letter));
}
