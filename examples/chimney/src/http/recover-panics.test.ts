import { type Context, type ContextManager, context, ROOT_CONTEXT, type Span, trace } from '@opentelemetry/api';
import { pino } from 'pino';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { recoverPanics } from './recover-panics.ts';
import { empty } from './reply.ts';
import { RequestError } from './request-error.ts';

/** The least that makes `context.with` work for synchronous code. */
class SynchronousContext implements ContextManager {
  #stack: Context[] = [];
  active = () => this.#stack.at(-1) ?? ROOT_CONTEXT;
  with = <A extends unknown[], F extends (...args: A) => ReturnType<F>>(
    at: Context,
    run: F,
    self?: ThisParameterType<F>,
    ...args: A
  ) => {
    this.#stack.push(at);
    try {
      return run.call(self, ...args);
    } finally {
      this.#stack.pop();
    }
  };
  bind = <Target>(_: Context, target: Target) => target;
  enable = () => this;
  disable = () => this;
}

let steps: string[] = [];
let logged: Record<string, unknown>[] = [];
const span = {
  recordException: (error: Error) => steps.push(`exception ${error.message}`),
  setStatus: ({ code, message }: { code: number; message: string }) => steps.push(`status ${code} ${message}`),
  spanContext: () => ({ traceId: 'a'.repeat(32), spanId: 'b'.repeat(16), traceFlags: 1 }),
} as unknown as Span;

beforeEach(() => {
  steps = [];
  logged = [];
  context.setGlobalContextManager(new SynchronousContext());
});

afterEach(() => context.disable());

function recover(handle: () => never) {
  const log = pino(
    { formatters: { level: (label) => ({ level: label.toUpperCase() }) } },
    {
      write: (line: string) => {
        logged.push(JSON.parse(line));
        steps.push(`log ${logged.at(-1)?.level}`);
      },
    },
  );
  const panics = { add: (value: number) => steps.push(`count ${value}`) };
  return context.with(trace.setSpan(ROOT_CONTEXT, span), () => recoverPanics({ log, panics }, handle));
}

test('a panic takes the five steps of the document in their order', async () => {
  const reply = await recover(() => {
    throw new Error('boom');
  });
  expect([...steps, reply.status]).toEqual(['exception boom', 'status 2 panic', 'log ERROR', 'count 1', 500]);
});

test('the logged stack is at most 4 KB and ends with a whole character', async () => {
  await recover(() => {
    const error = new Error('long');
    error.stack = `x${'š'.repeat(5000)}`;
    throw error;
  });
  const stack = String(logged[0]?.stack);
  expect(Buffer.byteLength(stack)).toBe(4095);
  expect(stack).toBe(`x${'š'.repeat(2047)}`);
});

test('what is thrown need not be an Error', async () => {
  const reply = await recover(() => {
    throw 'a word';
  });
  expect([steps[0], reply.status]).toEqual(['exception thrown: a word', 500]);
});

test('a refusal is no panic', async () => {
  const reply = await recover(() => {
    throw new RequestError(413, 'too large');
  });
  expect([steps, reply.status]).toEqual([[], 413]);
});

test('an answer passes through', async () => {
  const answer = empty(204);
  expect(await recoverPanics({ log: pino({ level: 'silent' }), panics: { add: () => {} } }, () => answer)).toBe(answer);
});
