import type { MetricBatch } from '@signalbox/records';
import type { Component } from '../../pipeline/component.ts';
import type { ComponentContext } from '../../pipeline/component-context.ts';
import type { ReceiverFactory } from '../../pipeline/component-factory.ts';
import type { Consumer } from '../../pipeline/consumer.ts';
import type { Scrapes } from '../../pipeline/scrapes.ts';
import { relabelSteps } from './relabel.ts';
import { ScrapeLoop } from './scrape-loop.ts';
import { readScrapeConfigs, type ScrapeSettings } from './scrape-settings.ts';
import { findTargets } from './scrape-targets.ts';

/** `prometheus`: scrapes targets as Prometheus does. */
export const prometheusReceiverFactory: ReceiverFactory = {
  kind: 'receiver',
  type: 'prometheus',
  signals: ['metrics'],
  configure(settings) {
    const jobs = readScrapeConfigs(settings);
    return {
      create(context, next) {
        const { metrics } = next;
        if (metrics === undefined) throw new TypeError('the receiver prometheus stands in a pipeline of metrics');
        return new PrometheusReceiver(jobs, context, metrics);
      },
    };
  },
};

class PrometheusReceiver implements Component {
  readonly #jobs: readonly JobScraper[];

  constructor(jobs: readonly ScrapeSettings[], context: ComponentContext, next: Consumer<MetricBatch>) {
    this.#jobs = jobs.map((job) => new JobScraper(job, context, next));
  }

  scrapes(): Scrapes {
    const all = this.#jobs.map((job) => job.scrapes());
    return {
      jobs: all.flatMap(({ jobs }) => jobs),
      active: all.flatMap(({ active }) => active),
      dropped: all.flatMap(({ dropped }) => dropped),
    };
  }

  async start(): Promise<void> {
    for (const job of this.#jobs) job.start();
  }

  async shutdown(): Promise<void> {
    await Promise.all(this.#jobs.map((job) => job.stop()));
  }
}

/** The targets of one job: looked for again as often as its files may change. */
class JobScraper {
  readonly #settings: ScrapeSettings;
  readonly #context: ComponentContext;
  readonly #next: Consumer<MetricBatch>;
  readonly #loops = new Map<string, ScrapeLoop>();
  #dropped: readonly ReadonlyMap<string, string>[] = [];
  #timer: NodeJS.Timeout | null = null;

  constructor(settings: ScrapeSettings, context: ComponentContext, next: Consumer<MetricBatch>) {
    this.#settings = settings;
    this.#context = context;
    this.#next = next;
  }

  scrapes(): Scrapes {
    const { jobName: job, relabel, yaml } = this.#settings;
    return {
      jobs: [{ name: job, yaml, relabelSteps: (labels) => relabelSteps(labels, relabel) }],
      active: Array.from(this.#loops.values(), ({ status }) => status),
      dropped: this.#dropped.map((discoveredLabels) => ({ job, discoveredLabels })),
    };
  }

  start(): void {
    this.#refresh();
    if (this.#settings.files.length === 0) return;
    const refreshMs = Math.max(100, Math.min(...this.#settings.files.map((files) => files.refreshMs)));
    this.#timer = setInterval(() => this.#refresh(), refreshMs);
  }

  async stop(): Promise<void> {
    if (this.#timer !== null) clearInterval(this.#timer);
    await Promise.all([...this.#loops.values()].map((loop) => loop.stop(false)));
  }

  #refresh(): void {
    try {
      const { active, dropped } = findTargets(this.#settings);
      this.#dropped = dropped;
      const targets = new Map(active.map((target) => [target.key, target]));
      for (const [key, loop] of this.#loops) {
        if (targets.has(key)) continue;
        this.#loops.delete(key);
        void loop.stop(true);
      }
      for (const [key, target] of targets) {
        if (this.#loops.has(key)) continue;
        const loop = new ScrapeLoop(target, this.#settings, this.#next, this.#context);
        this.#loops.set(key, loop);
        loop.start();
      }
    } catch (error) {
      // A file that is being written, or not there yet: the targets known so far stay.
      const fields = { job: this.#settings.jobName, error: (error as Error).message };
      this.#context.log.warn('Targets could not be read', fields);
    }
  }
}
