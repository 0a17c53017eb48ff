import type { Random } from './random.ts';

/** How the stand-in misbehaves. Every field can be changed while it runs (`PUT /_stand-in/behaviour`). */
export interface Behaviour {
  /** Median time to answer, ms. */
  latencyMs: number;
  /** Spread of the log-normal distribution: 0 is constant, 0.5 gives a p99 of about three times the median. */
  latencySpread: number;
  /** Share of requests that take `slowMs` longer. */
  slowRate: number;
  slowMs: number;
  /** Share of requests answered 500, 502 or 503. */
  errorRate: number;
  /** Share of requests whose connection breaks without an answer. */
  resetRate: number;
  /** Share of requests answered 429, GitHub's secondary rate limit. */
  secondaryLimitRate: number;
  /** Mean number of seconds between two changes of the data; 0 for data that never changes. */
  changeEverySeconds: number;
}

export const calm: Behaviour = {
  latencyMs: 0,
  latencySpread: 0,
  slowRate: 0,
  slowMs: 1500,
  errorRate: 0,
  resetRate: 0,
  secondaryLimitRate: 0,
  changeEverySeconds: 0,
};

/** The time in ms that the next answer takes. */
export function drawLatency(behaviour: Behaviour, random: Random): number {
  const base = behaviour.latencyMs * Math.exp(behaviour.latencySpread * random.normal());
  return Math.min(60_000, base + (random.chance(behaviour.slowRate) ? behaviour.slowMs : 0));
}

/** `behaviour` with the numbers of `change` laid over it. Throws RangeError for an unknown field or a value that is no finite number >= 0. */
export function changeBehaviour(behaviour: Behaviour, change: unknown): Behaviour {
  if (typeof change !== 'object' || change === null) throw new RangeError('The behaviour is a JSON object.');
  const changed: Behaviour = { ...behaviour };
  for (const [field, value] of Object.entries(change)) {
    if (!isField(field)) throw new RangeError(`There is no behaviour "${field.slice(0, 40)}".`);
    if (typeof value !== 'number' || !Number.isFinite(value) || value < 0) {
      throw new RangeError(`${field} is a number, 0 or more.`);
    }
    changed[field] = value;
  }
  return changed;
}

function isField(field: string): field is keyof Behaviour {
  return Object.hasOwn(calm, field);
}
