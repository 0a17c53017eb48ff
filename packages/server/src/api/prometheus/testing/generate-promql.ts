/** The metrics that generated expressions are of. */
export interface GeneratedMetrics {
  readonly counters: readonly string[];
  readonly gauges: readonly string[];
  /** Names of classic histograms, without `_bucket`. */
  readonly histograms: readonly string[];
  readonly nativeHistograms: readonly string[];
  readonly labels: readonly string[];
  /** Matchers of which each fits some series. */
  readonly matchers: readonly string[];
}

/** What ranges may be besides plain, by the functions that take them so. */
const extendedBy: Readonly<Record<string, readonly string[]>> = {
  rate: [' anchored', ' smoothed'],
  increase: [' anchored', ' smoothed'],
  delta: [' anchored', ' smoothed'],
  resets: [' anchored'],
  changes: [' anchored'],
};

/** A sequence of numbers from 0 to 1 that follows from its seed (mulberry32). */
export function randomFrom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/**
 * Expressions of PromQL made up from a seed: valid by the grammar, though not all have a value. Left out is what gives answers that
 * two right engines need not agree on: those in which rounding decides, such as the variance of equal numbers.
 */
export class PromqlGenerator {
  readonly #metrics: GeneratedMetrics;
  readonly #random: () => number;

  constructor(metrics: GeneratedMetrics, seed: number) {
    this.#metrics = metrics;
    this.#random = randomFrom(seed);
  }

  /** An expression that has a value at a moment: a vector, or now and then a scalar. */
  expression(): string {
    return this.#chance(0.05) ? this.#scalar() : this.#vector(3);
  }

  #vector(depth: number): string {
    if (depth === 0) return this.#selector(this.#pick([...this.#metrics.gauges, ...this.#metrics.counters]));
    switch (
      this.#pick([
        'leaf',
        'range',
        'range',
        'aggregate',
        'aggregate',
        'function',
        'scalar',
        'vectors',
        'set',
        'histogram',
        'subquery',
      ])
    ) {
      case 'range':
        return this.#rangeFunction();
      case 'aggregate':
        return this.#aggregation(depth);
      case 'function':
        return this.#ofFunction(
          this.#pick(['abs', 'ceil', 'floor', 'sgn', 'sort', 'timestamp', 'sqrt', 'hour', 'scalar', 'absent']),
          this.#vector(depth - 1),
        );
      case 'scalar': {
        const operator = this.#pick(['+', '-', '*', '/', '%', '^', '>', '<=', '!=', '> bool', '== bool']);
        return this.#chance(0.5)
          ? `(${this.#vector(depth - 1)}) ${operator} ${this.#scalar()}`
          : `${this.#scalar()} ${operator} (${this.#vector(depth - 1)})`;
      }
      case 'vectors':
        return this.#ofVectors(depth);
      case 'set': {
        const operator = this.#pick(['and', 'or', 'unless']);
        return `(${this.#vector(depth - 1)}) ${operator} ${this.#matching()}(${this.#vector(depth - 1)})`;
      }
      case 'histogram':
        return this.#ofHistogram();
      case 'subquery':
        return `${this.#pick(['max', 'min', 'last', 'count', 'sum', 'avg'])}_over_time((${this.#vector(depth - 1)})[${this.#pick(['4m', '10m'])}:${this.#pick(['', '30s', '1m'])}])`;
      default:
        return this.#selector(this.#pick([...this.#metrics.gauges, ...this.#metrics.counters]));
    }
  }

  #ofFunction(name: string, vector: string): string {
    // What the hour of NaN is, or of what no time reaches, depends on the processor that Prometheus runs on.
    if (name === 'hour') return `hour(abs(${vector}) < 4e9)`;
    // Prometheus 3.16 looks for the sample at the time behind @, and forgets the offset.
    if (name === 'timestamp' && / @ \S+ offset \S+$/.test(vector)) return `timestamp(abs(${vector}))`;
    return name === 'scalar' ? `vector(scalar(${vector}))` : `${name}(${vector})`;
  }

  #selector(metric: string, range = ''): string {
    const matchers = this.#chance(0.4) ? `{${this.#pick(this.#metrics.matchers)}}` : '';
    const offset = this.#chance(0.2) ? ` offset ${this.#pick(['1m', '37s', '-1m', '5m'])}` : '';
    const at = this.#chance(0.1) ? ` @ ${this.#pick(['start()', 'end()'])}` : '';
    return `${metric}${matchers}${range}${at}${offset}`;
  }

  #rangeFunction(): string {
    const range = `[${this.#pick(['1m', '2m', '5m', '93s', '10m'])}]`;
    if (this.#chance(0.5)) {
      const name = this.#pick(['rate', 'increase', 'irate', 'resets', 'changes', 'delta', 'idelta']);
      const extended = this.#chance(0.25) ? this.#pick(extendedBy[name] ?? ['']) : '';
      return `${name}(${this.#selector(this.#pick(this.#metrics.counters), `${range}${extended}`)})`;
    }
    const name = this.#pick(['avg', 'min', 'max', 'sum', 'count', 'last', 'first', 'present', 'absent', 'quantile']);
    const argument = this.#selector(this.#pick([...this.#metrics.gauges, ...this.#metrics.counters]), range);
    if (name === 'first') return `last_over_time(${argument})`;
    return `${name}_over_time(${name === 'quantile' ? `${this.#pick(['0', '0.3', '0.9', '1', '2'])}, ` : ''}${argument})`;
  }

  #aggregation(depth: number): string {
    const grouping = this.#pick(['', ` by (${this.#labels()})`, ` without (${this.#labels()})`]);
    const name = this.#pick([
      'sum',
      'avg',
      'min',
      'max',
      'count',
      'group',
      'topk',
      'bottomk',
      'quantile',
      'count_values',
    ]);
    const inner = this.#vector(depth - 1);
    switch (name) {
      case 'topk':
      case 'bottomk':
        // Which of equal ones is taken is nobody's promise.
        return `count${grouping} (${name}${grouping} (${this.#pick(['1', '2', '5'])}, ${inner}))`;
      case 'quantile':
        return `quantile${grouping} (${this.#pick(['0', '0.5', '0.9', '1', '-1'])}, ${inner})`;
      case 'count_values':
        return `count_values${grouping} ("value", ${this.#selector(this.#pick(this.#metrics.gauges))})`;
      default:
        return `${name}${grouping} (${inner})`;
    }
  }

  #ofVectors(depth: number): string {
    const operator = this.#pick(['+', '-', '*', '/', '>', '<=', '== bool', '!= bool', '%']);
    const metric = this.#pick([...this.#metrics.gauges, ...this.#metrics.counters]);
    if (this.#chance(0.3)) {
      const by = this.#labels();
      const [many, one] = [this.#selector(metric), `sum by (${by}) (${this.#selector(metric)})`];
      return this.#chance(0.5)
        ? `${many} ${operator} on (${by}) group_left () ${one}`
        : `${one} ${operator} on (${by}) group_right () ${many}`;
    }
    const grouped = ` by (${this.#labels()})`;
    return `sum${grouped} (${this.#vector(depth - 1)}) ${operator} ${this.#matching()}max${grouped} (${this.#vector(depth - 1)})`;
  }

  #ofHistogram(): string {
    const range = `[${this.#pick(['2m', '5m'])}]`;
    if (this.#chance(0.5)) {
      const rate = `rate(${this.#selector(`${this.#pick(this.#metrics.histograms)}_bucket`, range)})`;
      const buckets = this.#chance(0.5) ? `sum by (le, ${this.#labels()}) (${rate})` : rate;
      return this.#chance(0.7)
        ? `histogram_quantile(${this.#pick(['0', '0.5', '0.9', '0.99', '1'])}, ${buckets})`
        : `histogram_fraction(${this.#pick(['0', '0.1'])}, ${this.#pick(['0.5', '3', 'Inf'])}, ${buckets})`;
    }
    const selector = this.#selector(this.#pick(this.#metrics.nativeHistograms), range);
    const rate = this.#chance(0.5) ? `rate(${selector})` : `sum by (${this.#labels()}) (increase(${selector}))`;
    return this.#pick([
      rate,
      `histogram_quantile(${this.#pick(['0', '0.5', '0.9', '1'])}, ${rate})`,
      `histogram_count(${rate})`,
      `histogram_sum(${rate})`,
      `histogram_avg(${rate})`,
      `histogram_fraction(0, 2, ${rate})`,
    ]);
  }

  #matching(): string {
    return this.#pick(['', '', `on (${this.#labels()}) `, `ignoring (${this.#labels()}) `]);
  }

  #labels(): string {
    return [...new Set([this.#pick(this.#metrics.labels), this.#pick(this.#metrics.labels)])].join(', ');
  }

  #scalar(): string {
    return this.#pick(['1', '2', '0.5', '-3', '100', 'Inf', 'NaN', 'time()', 'pi()', '1e6', 'scalar(sum(nothing))']);
  }

  #chance(probability: number): boolean {
    return this.#random() < probability;
  }

  #pick<Item>(items: readonly Item[]): Item {
    const item = items[Math.floor(this.#random() * items.length)];
    if (item === undefined) throw new Error('There is nothing to choose from');
    return item;
  }
}
