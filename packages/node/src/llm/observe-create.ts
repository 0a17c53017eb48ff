import { context } from '@opentelemetry/api';
import type { InstrumentationContext } from '../instrumentation.ts';
import type { AnyFunction, LoadedModule } from '../modules/loaded-module.ts';
import type { ModelAnswer, ModelRequest } from './model-call.ts';
import type { ModelCallRecorder } from './model-call-recorder.ts';
import { observeApiPromise } from './observe-api-promise.ts';

/** How a method's request and answer are read. Both get what the application or the service made: nothing is sure. */
export interface CallReader {
  request(body: Body, client: Client): ModelRequest;
  /** The whole answer, or one event of a stream. */
  answer(answer: Body): ModelAnswer;
}

export type Body = Readonly<Record<string, unknown>>;

/** A client of OpenAI or Anthropic, as far as it is looked at. */
export interface Client {
  readonly baseURL?: unknown;
  /** Of a client that traces its calls itself. */
  readonly _tracer?: unknown;
  readonly constructor?: { readonly name?: string };
}

/** Wraps `create` of a resource of such a client. */
export function observeCreate(
  prototype: object,
  { wrap }: LoadedModule,
  recorder: ModelCallRecorder,
  { protect }: Pick<InstrumentationContext, 'protect'>,
  reader: CallReader,
): void {
  const read = protect<[unknown], ModelAnswer>(
    (answer) => reader.answer(asBody(answer)),
    () => ({}),
  );
  wrap(
    prototype,
    'create',
    (create: AnyFunction) =>
      function observedCreate(this: unknown, ...args: unknown[]) {
        const client = (asBody(this)._client ?? {}) as Client;
        const call = recorder.begin(() => reader.request(asBody(args[0]), client), client._tracer !== undefined);
        if (call === undefined) return Reflect.apply(create, this, args);
        let promise: unknown;
        try {
          promise = context.with(call.context, () => Reflect.apply(create, this, args));
        } catch (error) {
          call.end({ error });
          throw error;
        }
        observeApiPromise(promise, { onAnswer: (answer) => call.answer(read(answer)), onEnd: call.end });
        return promise;
      },
  );
}

export function asBody(value: unknown): Body {
  return typeof value === 'object' && value !== null ? (value as Body) : {};
}

export function asList(value: unknown): readonly Body[] {
  return Array.isArray(value) ? value.map(asBody) : [];
}

export function textOf(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}

export function numberOf(value: unknown): number | undefined {
  return typeof value === 'number' ? value : undefined;
}

/** The text of a message's content, which is a text or a list of parts. */
export function contentText(content: unknown): string {
  if (typeof content === 'string') return content;
  return asList(content)
    .map(({ text }) => textOf(text) ?? '')
    .join('');
}

export function stopSequences(stop: unknown): string[] | undefined {
  if (typeof stop === 'string') return [stop];
  return Array.isArray(stop) ? stop.filter((sequence) => typeof sequence === 'string') : undefined;
}
