import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Component, ListeningAddress } from '../pipeline/component.ts';
import type { Extension } from '../pipeline/extension.ts';
import type { Scrapes } from '../pipeline/scrapes.ts';
import { SignalboxError } from '../pipeline/signalbox-error.ts';

export interface GraphMember {
  /** For messages: `exporter otlp/tempo`. */
  readonly name: string;
  readonly component: Component;
}

/** Components in the order to start them in: each after all that it hands records to. Receivers stand apart: they are last. */
export interface GraphMembers {
  /** They start before all others, and stop after them. */
  readonly extensions: readonly { readonly name: string; readonly component: Extension }[];
  readonly stages: readonly GraphMember[];
  readonly receivers: readonly GraphMember[];
}

/** A running configuration: starts from the destinations backwards, stops from the receivers forwards. */
export class Graph implements Component {
  readonly #members: GraphMembers;
  #started: GraphMember[] = [];
  #isReady = false;
  #shutdown: Promise<void> | null = null;

  constructor(members: GraphMembers) {
    this.#members = members;
  }

  /** All components run. */
  get isReady(): boolean {
    return this.#isReady;
  }

  /** Where its components listen, in the order of the file; only after `start`. */
  get addresses(): readonly ListeningAddress[] {
    const { receivers, stages, extensions } = this.#members;
    return [...receivers, ...stages, ...extensions].flatMap(({ component }) => component.addresses ?? []);
  }

  /** Gives a request on the program's own port to the receiver that answers it; false when none does. */
  handle(request: IncomingMessage, response: ServerResponse): boolean {
    return this.#members.receivers.some(({ component }) => component.handle?.(request, response) === true);
  }

  /** What its receivers scrape. */
  scrapes(): Scrapes {
    const all = this.#members.receivers.flatMap(({ component }) => component.scrapes?.() ?? []);
    return {
      jobs: all.flatMap(({ jobs }) => jobs),
      active: all.flatMap(({ active }) => active),
      dropped: all.flatMap(({ dropped }) => dropped),
    };
  }

  /** Throws what the first component that can't start has thrown, with its name; those that had started are shut down. */
  async start(): Promise<void> {
    const { extensions, stages, receivers } = this.#members;
    for (const member of [...extensions, ...stages, ...receivers]) {
      try {
        await member.component.start();
        this.#started.push(member);
      } catch (error) {
        await this.shutdown(1_000);
        throw named(member, error);
      }
    }
    this.#isReady = true;
    for (const { component } of extensions) component.onReady?.();
  }

  shutdown(deadlineMs: number): Promise<void> {
    this.#shutdown ??= this.#stop(deadlineMs);
    return this.#shutdown;
  }

  async #stop(deadlineMs: number): Promise<void> {
    const endsAt = performance.now() + deadlineMs;
    this.#isReady = false;
    const started = new Set(this.#started);
    for (const { component } of this.#members.extensions) component.onStopping?.();
    const receivers = this.#members.receivers.filter((member) => started.has(member));
    await Promise.allSettled(receivers.map(({ component }) => component.shutdown(deadlineMs / 2)));
    // Each stage may hand on what it holds, so the next one stops only after it.
    const { extensions, stages } = this.#members;
    for (const { component } of [...extensions, ...stages].filter((member) => started.has(member)).reverse()) {
      await Promise.allSettled([component.shutdown(Math.max(0, endsAt - performance.now()))]);
    }
  }
}

function named({ name }: GraphMember, error: unknown): unknown {
  if (!(error instanceof SignalboxError)) return error;
  const { code, message, cause, hint, retryable } = error;
  return new SignalboxError(code, `${name}: ${message}`, {
    cause: cause ?? error,
    retryable,
    ...(hint === undefined ? {} : { hint }),
  });
}
