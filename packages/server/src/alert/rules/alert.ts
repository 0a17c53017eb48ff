/** Where an alert stands: its expression holds but not for long enough (`pending`), it fires, or it is resolved (`inactive`). */
export type AlertState = 'inactive' | 'pending' | 'firing';

/** One alert of a rule: one element of the expression's result, as long as it holds and a while after. Times in ms since 1970. */
export interface Alert {
  readonly labels: ReadonlyMap<string, string>;
  annotations: ReadonlyMap<string, string>;
  state: AlertState;
  /** The expression's value at the last evaluation at which it held. */
  value: number;
  /** When the expression began to hold. */
  readonly activeAt: number;
  firedAt: number | undefined;
  /** When it ceased to fire; undefined as long as it is active. */
  resolvedAt: number | undefined;
  /** Since when it fires only because of `keep_firing_for`. */
  keepFiringSince: number | undefined;
  lastSentAt: number | undefined;
  /** Receivers take it for resolved after this time unless they hear of it again. */
  validUntil: number | undefined;
}

/** A key that two label sets share exactly when they are equal. */
export function labelsKey(labels: ReadonlyMap<string, string>): string {
  return JSON.stringify([...labels].sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)));
}
