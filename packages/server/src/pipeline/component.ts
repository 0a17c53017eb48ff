import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Scrapes } from './scrapes.ts';

/**
 * Something the program starts and stops: a receiver, the store, the page's server.
 *
 * Stages are started from the store backwards to the receivers and shut down from the receivers forwards, so that
 * every batch finds its next stage alive.
 */
export interface Component {
  /** Resolves when the component does its work (a listener: when it accepts). Throws a `SignalboxError` otherwise. */
  start(): Promise<void>;
  /**
   * Stops taking new work, lets the work under way finish for at most `deadlineMs` milliseconds, then cuts it.
   * Never rejects because of the work that was cut; a second call gives the first one's promise or resolves.
   */
  shutdown(deadlineMs: number): Promise<void>;
  /** Where it listens, if it does; only after `start`. */
  readonly addresses?: readonly ListeningAddress[];
  /** Answers requests on the program's own port, if it does: true when the request is its own, which it then answers. */
  readonly handle?: ((request: IncomingMessage, response: ServerResponse) => boolean) | undefined;
  /** What it scrapes, if it does, and how that goes. */
  readonly scrapes?: (() => Scrapes) | undefined;
}

export interface ListeningAddress {
  /** For people: `OTLP/HTTP`. */
  readonly protocol: string;
  /** `http://127.0.0.1:4318`, or `127.0.0.1:4317` where URLs mean nothing. */
  readonly address: string;
}
