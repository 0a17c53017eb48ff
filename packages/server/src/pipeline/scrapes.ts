/** A target that a component asks for metrics again and again. Times in ms. */
export interface ScrapedTarget {
  readonly job: string;
  /** Without a user and a password. */
  readonly url: string;
  /** Labels before relabelling. */
  readonly discoveredLabels: ReadonlyMap<string, string>;
  readonly labels: ReadonlyMap<string, string>;
  readonly health: 'unknown' | 'up' | 'down';
  /** '' when the last scrape went well. */
  readonly lastError: string;
  /** Since 1970; 0: not yet scraped. */
  readonly lastScrapeMs: number;
  readonly lastScrapeDurationMs: number;
  readonly intervalMs: number;
  readonly timeoutMs: number;
}

/** What a rule of `relabel_configs` made of a target's labels. */
export interface RelabelStep {
  readonly rule: {
    readonly sourceLabels: readonly string[];
    readonly separator: string;
    /** As it was written. */
    readonly pattern: string;
    readonly modulus: number;
    readonly targetLabel: string;
    readonly replacement: string;
    readonly action: string;
  };
  /** Empty once a rule has dropped the target. */
  readonly labels: ReadonlyMap<string, string>;
  readonly keep: boolean;
}

/** Targets that have their settings in common. */
export interface ScrapeJob {
  readonly name: string;
  /** Its settings in force, as YAML without secrets. */
  readonly yaml: string;
  /** Rule by rule, what would become of a target with these labels. */
  relabelSteps(labels: ReadonlyMap<string, string>): RelabelStep[];
}

/** What a component scrapes. */
export interface Scrapes {
  /** With those that have no targets now. */
  readonly jobs: readonly ScrapeJob[];
  readonly active: readonly ScrapedTarget[];
  /** Targets that relabelling dropped. */
  readonly dropped: readonly Pick<ScrapedTarget, 'job' | 'discoveredLabels'>[];
}
