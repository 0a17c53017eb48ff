import { randomUUID } from 'node:crypto';
import type { QueriesResponse } from '@signalbox/api-contract';

interface RunningQuery {
  readonly id: string;
  readonly route: string;
  readonly startedAtMs: number;
  readonly controller: AbortController;
}

/** The requests under way, by the id that their answers carry in `X-Signalbox-Query-Id`. */
export class QueryRegistry {
  readonly #running = new Map<string, RunningQuery>();

  /** Notes a request; `finish` forgets it. Its signal aborts by `cancel`. */
  start(route: string, startedAtMs: number): { id: string; controller: AbortController; finish(): void } {
    const query: RunningQuery = { id: randomUUID(), route, startedAtMs, controller: new AbortController() };
    this.#running.set(query.id, query);
    return { id: query.id, controller: query.controller, finish: () => void this.#running.delete(query.id) };
  }

  /** Stops a query; false when it does not run. */
  cancel(id: string): boolean {
    const query = this.#running.get(id);
    query?.controller.abort();
    return query !== undefined;
  }

  cancelAll(): void {
    for (const query of this.#running.values()) query.controller.abort();
  }

  list(nowMs: number): QueriesResponse['queries'] {
    return [...this.#running.values()].map(({ id, route, startedAtMs }) => ({
      id,
      route,
      startedAtMs,
      elapsedMs: nowMs - startedAtMs,
    }));
  }
}
