import type { Warnings } from '../warnings.ts';

const quietMillis = 30_000;

interface State {
  failingSince: number | undefined;
  lastWarning: number;
  dropped: number;
}

/**
 * Turns the fate of single requests into what a person needs to read: one line when an endpoint stops taking telemetry
 * (what is wrong, what to do), one when it takes it again. An endpoint that flaps is reported at most every 30 s.
 */
export class CollectorHealth {
  readonly #states = new Map<string, State>();
  /** The same by whole address: that is asked for with each request. */
  readonly #byUrl = new Map<string, State>();
  readonly #warnings: Warnings;

  constructor(warnings: Warnings) {
    this.#warnings = warnings;
  }

  failed(url: string, problem: string, advice: string): void {
    const state = this.#state(url);
    if (state.failingSince !== undefined) return;
    const now = Date.now();
    state.failingSince = now;
    if (now - state.lastWarning < quietMillis) return;
    state.lastWarning = now;
    this.#warnings.always(`cannot send telemetry to ${withoutCredentials(url)}: ${problem}. ${advice}`);
  }

  dropped(url: string, count: number): void {
    this.#state(url).dropped += count;
  }

  succeeded(url: string): void {
    const state = this.#state(url);
    if (state.failingSince === undefined) return;
    const seconds = Math.max(1, Math.round((Date.now() - state.failingSince) / 1000));
    const loss = state.dropped === 0 ? 'nothing was lost' : `${state.dropped} records were dropped meanwhile`;
    state.failingSince = undefined;
    state.dropped = 0;
    this.#warnings.always(`${new URL(url).origin} takes telemetry again after ${seconds} s; ${loss}`);
  }

  #state(url: string): State {
    let state = this.#byUrl.get(url);
    if (state === undefined) {
      const { origin } = new URL(url);
      state = this.#states.get(origin) ?? {
        failingSince: undefined,
        lastWarning: Number.NEGATIVE_INFINITY,
        dropped: 0,
      };
      this.#states.set(origin, state);
      this.#byUrl.set(url, state);
    }
    return state;
  }
}

function withoutCredentials(url: string): string {
  const copy = new URL(url);
  copy.username = '';
  copy.password = '';
  copy.search = '';
  return copy.href;
}
