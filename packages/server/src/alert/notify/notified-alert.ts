/** An alert as receivers see it, in the terms of Alertmanager's API; times in ms since 1970. */
export interface NotifiedAlert {
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  readonly status: 'firing' | 'resolved';
  readonly startsAt: number;
  /** When it ended; for one that fires: until when it is to be believed without another word. */
  readonly endsAt: number;
  /** Shows the rule's expression. */
  readonly generatorURL: string;
}

/** The labels in a fixed order: equal for equal labels. */
export function fingerprint(labels: Readonly<Record<string, string>>): string {
  return JSON.stringify(Object.entries(labels).sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)));
}
