import {
  decodeExposition,
  type ExposedSample,
  type Exposition,
  emptyHistogram,
  parseExposition,
  type ScrapedSample,
  scrapedBatch,
} from '@signalbox/protocols';
import type { MetricBatch } from '@signalbox/records';
import type { ComponentContext } from '../../pipeline/component-context.ts';
import type { Consumer } from '../../pipeline/consumer.ts';
import type { ScrapedTarget } from '../../pipeline/scrapes.ts';
import { fetchMetrics, type ScrapedBody } from './fetch-metrics.ts';
import { relabel } from './relabel.ts';
import type { ScrapeSettings } from './scrape-settings.ts';
import type { ScrapeTarget } from './scrape-targets.ts';

type SeenSeries = Pick<ScrapedSample, 'name' | 'labels' | 'value'>;

interface Scraped {
  readonly samples: ScrapedSample[];
  readonly help: ReadonlyMap<string, string>;
  /** Before and after `metric_relabel_configs`. */
  readonly scraped: number;
}

/** Scrapes one target again and again. Series that are gone, or whose target is, are said to have ended. */
export class ScrapeLoop {
  readonly #target: ScrapeTarget;
  readonly #settings: ScrapeSettings;
  readonly #next: Consumer<MetricBatch>;
  readonly #context: ComponentContext;
  readonly #abort = new AbortController();
  readonly #firstMs: number;
  #health: ScrapedTarget['health'] = 'unknown';
  #lastError = '';
  #lastScrapeMs = 0;
  #lastScrapeDurationMs = 0;
  #seen = new Map<string, SeenSeries>();
  #timer: NodeJS.Timeout | null = null;
  #running: Promise<void> = Promise.resolve();

  constructor(target: ScrapeTarget, settings: ScrapeSettings, next: Consumer<MetricBatch>, context: ComponentContext) {
    this.#target = target;
    this.#settings = settings;
    this.#next = next;
    this.#context = context;
    this.#firstMs = context.now();
  }

  /** How it goes. */
  get status(): ScrapedTarget {
    const { url, labels, discoveredLabels } = this.#target;
    const shown = new URL(url);
    shown.username = '';
    shown.password = '';
    const { jobName: job, intervalMs, timeoutMs } = this.#settings;
    return {
      job,
      url: shown.href,
      labels,
      discoveredLabels,
      intervalMs,
      timeoutMs,
      health: this.#health,
      lastError: this.#lastError,
      lastScrapeMs: this.#lastScrapeMs,
      lastScrapeDurationMs: this.#lastScrapeDurationMs,
    };
  }

  /** The first scrape comes at once, so that a start shows what is wrong; later ones every interval. */
  start(): void {
    const run = () => {
      this.#running = this.scrape();
    };
    run();
    this.#timer = setInterval(run, this.#settings.intervalMs);
  }

  /** @param targetGone its series end; otherwise they only pause, as when the program stops */
  async stop(targetGone: boolean): Promise<void> {
    if (this.#timer !== null) clearInterval(this.#timer);
    this.#abort.abort();
    await this.#running;
    if (targetGone) await this.#hand([], new Map(), this.#context.now());
  }

  /** Never rejects. */
  async scrape(): Promise<void> {
    const startedMs = this.#context.now();
    const began = performance.now();
    let result: Scraped = { samples: [], help: new Map(), scraped: 0 };
    let up = 1;
    let lastError = '';
    try {
      const scraped = await fetchMetrics(this.#target.url, this.#settings, this.#abort.signal);
      result = this.#read(exposition(scraped, this.#settings), startedMs);
    } catch (error) {
      if (this.#abort.signal.aborted) return;
      up = 0;
      lastError = (error as Error).message;
      this.#context.log.debug('A scrape failed', { target: this.#target.url.href, error: lastError });
    }
    this.#health = up === 1 ? 'up' : 'down';
    this.#lastError = lastError;
    this.#lastScrapeMs = startedMs;
    this.#lastScrapeDurationMs = performance.now() - began;
    const about = (name: string, value: number): ScrapedSample => ({
      name,
      labels: [...this.#target.labels],
      value,
      ended: false,
      timeMs: startedMs,
      startMs: null,
      exemplars: [],
    });
    const samples = [
      ...result.samples,
      about('up', up),
      about('scrape_duration_seconds', this.#lastScrapeDurationMs / 1000),
      about('scrape_samples_scraped', result.scraped),
      about('scrape_samples_post_metric_relabeling', result.samples.length),
    ];
    await this.#hand(samples, result.help, startedMs);
  }

  #read({ samples, help }: Exposition, nowMs: number): Scraped {
    const { metricRelabel, sampleLimit, honorTimestamps } = this.#settings;
    const kept: ScrapedSample[] = [];
    for (const sample of samples) {
      const labels = relabel(this.#labelled(sample), metricRelabel);
      const name = labels?.get('__name__') ?? '';
      if (labels === null || name === '') continue;
      labels.delete('__name__');
      const timeMs = honorTimestamps && sample.timeMs !== null ? sample.timeMs : nowMs;
      kept.push({ ...sample, name, labels: [...labels], ended: false, timeMs });
      if (sampleLimit > 0 && kept.length > sampleLimit)
        throw new Error(`more samples than sample_limit (${sampleLimit})`);
    }
    return { samples: kept, help, scraped: samples.length };
  }

  /** Whose label counts when the target and the sample both have one: honor_labels says the sample's. */
  #labelled({ name, labels }: ExposedSample): Map<string, string> {
    const own = new Map(labels);
    const all = new Map(own);
    for (const [key, value] of this.#target.labels) {
      const there = own.get(key);
      if (there === undefined || there === '') all.set(key, value);
      else if (!this.#settings.honorLabels) {
        all.set(`exported_${key}`, there);
        all.set(key, value);
      }
    }
    return all.set('__name__', name);
  }

  /** Hands on what was scraped, and the end of every series that was there last time and is not now. */
  async #hand(samples: ScrapedSample[], help: ReadonlyMap<string, string>, nowMs: number): Promise<void> {
    const seen = new Map(samples.map((sample) => [seriesKey(sample), seenSeries(sample)]));
    const ended: ScrapedSample[] = [...this.#seen]
      .filter(([key]) => !seen.has(key))
      .map(([, series]) => ({ ...series, ended: true, timeMs: nowMs, startMs: null, exemplars: [] }));
    this.#seen = seen;
    if (samples.length + ended.length === 0) return;
    try {
      const batch = scrapedBatch([...samples, ...ended], help, this.#firstMs);
      const { rejected, reason } = await this.#next.consume(batch);
      if (rejected > 0) this.#context.log.warn('Scraped points were not stored', { points: rejected, reason });
    } catch (error) {
      // The next scrape brings newer values of the same series.
      this.#context.log.warn('What was scraped could not be handed on', { error: (error as Error).message });
    }
  }
}

function exposition({ body, format }: ScrapedBody, settings: ScrapeSettings): Exposition {
  if (format === 'protobuf') {
    const { nativeHistograms: native, alwaysClassicHistograms: classicToo } = settings;
    return decodeExposition(body, { native, classicToo });
  }
  return parseExposition(Buffer.from(body).toString(), { openMetrics: format === 'openMetrics' });
}

/** What is kept of a series until the next scrape: of a native histogram only that it is one. */
function seenSeries({ name, labels, value }: ScrapedSample): SeenSeries {
  return { name, labels, value: typeof value === 'number' ? 0 : { ...emptyHistogram(), schema: value.schema } };
}

/** A series that was a number and is a native histogram now is another one: the first has ended. */
function seriesKey({ name, labels, value }: SeenSeries): string {
  return JSON.stringify([typeof value, name, ...[...labels].sort(([a], [b]) => (a < b ? -1 : 1))]);
}
