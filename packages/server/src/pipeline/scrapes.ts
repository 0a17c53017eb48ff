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

/** What a component scrapes. */
export interface Scrapes {
  readonly active: readonly ScrapedTarget[];
  /** Targets that relabelling dropped. */
  readonly dropped: readonly Pick<ScrapedTarget, 'job' | 'discoveredLabels'>[];
}
