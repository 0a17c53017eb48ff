import type { RelabelStep } from '../pipeline/scrapes.ts';
import type { Labels } from './promql/labels.ts';

/** Something that is scraped. Times in ms. */
export interface ScrapeTarget {
  /** The scrape job that found it. */
  readonly pool: string;
  readonly url: string;
  /** Labels before relabelling. */
  readonly discoveredLabels: Labels;
  readonly labels: Labels;
  readonly health: 'unknown' | 'up' | 'down';
  /** '' when the last scrape went well. */
  readonly lastError: string;
  /** Since 1970; 0: not yet scraped. */
  readonly lastScrapeMs: number;
  readonly lastScrapeDurationMs: number;
  readonly intervalMs: number;
  readonly timeoutMs: number;
}

/** A scrape job, with or without targets. */
export interface ScrapePool {
  readonly name: string;
  /** Its settings in force, as YAML without secrets. */
  readonly yaml: string;
  /** Rule by rule, what would become of a target with these labels. */
  relabelSteps(labels: Labels): readonly (Omit<RelabelStep, 'labels'> & { readonly labels: Labels })[];
}

/** What is scraped, for those who ask; whoever scrapes implements it. */
export interface ScrapeTargets {
  pools(): readonly ScrapePool[];
  active(): readonly ScrapeTarget[];
  /** Targets that relabelling dropped. */
  dropped(): readonly Pick<ScrapeTarget, 'pool' | 'discoveredLabels'>[];
}

/** Of a program that scrapes nothing. */
export const NO_TARGETS: ScrapeTargets = { pools: () => [], active: () => [], dropped: () => [] };
