import type { Failure } from '../surfaces/operation.ts';

/**
 * What the clients of OpenAI and Anthropic return, which one generator makes: a promise that reads the answer's body only
 * when somebody waits for it.
 */
interface ApiPromise extends PromiseLike<unknown> {
  /** Of the response, whose body has not been read. */
  responsePromise?: Promise<unknown>;
  parseResponse?: (...args: unknown[]) => unknown;
  /** There as soon as the body is being read. */
  readonly parsedPromise?: unknown;
  asResponse?: () => Promise<unknown>;
}

/** What is told of a call; none of these may throw. */
export interface AnswerObserver {
  /** The whole answer, or a part of a streamed one. */
  onAnswer(answer: unknown): void;
  onEnd(failure?: Failure): void;
}

/**
 * Watches what a client's method returned, without reading anything that the application does not read itself. The
 * promise stays the library's own, with all of its methods.
 */
export function observeApiPromise(promise: unknown, observer: AnswerObserver): void {
  if (!isApiPromise(promise)) {
    observer.onEnd();
    return;
  }
  const { parseResponse, responsePromise, asResponse } = promise;
  promise.responsePromise = responsePromise.then(undefined, (error: unknown) => {
    observer.onEnd({ error });
    throw error;
  });
  promise.parseResponse = async (...args) => {
    let answer: unknown;
    try {
      answer = await parseResponse(...args);
    } catch (error) {
      observer.onEnd({ error });
      throw error;
    }
    if (isStream(answer)) observeStream(answer, observer);
    else {
      observer.onAnswer(answer);
      observer.onEnd();
    }
    return answer;
  };
  if (asResponse === undefined) return;
  promise.asResponse = async () => {
    const response = await Reflect.apply(asResponse, promise, []);
    // Who reads the body by hand is seen no further. With `withResponse` it is being parsed as well.
    if (promise.parsedPromise === undefined) observer.onEnd();
    return response;
  };
}

interface Stream {
  /** Every way to read the stream goes through it: iteration, `tee`, `toReadableStream`. */
  iterator: () => AsyncIterator<unknown>;
}

function observeStream(stream: Stream, observer: AnswerObserver): void {
  const { iterator } = stream;
  stream.iterator = () => {
    const inner = Reflect.apply(iterator, stream, []);
    const observed: AsyncIterableIterator<unknown> = {
      [Symbol.asyncIterator]: () => observed,
      async next(...args) {
        try {
          const result = await inner.next(...args);
          if (result.done === true) observer.onEnd();
          else observer.onAnswer(result.value);
          return result;
        } catch (error) {
          observer.onEnd({ error });
          throw error;
        }
      },
      async return(value) {
        observer.onEnd();
        return inner.return === undefined ? { done: true, value } : await inner.return(value);
      },
      async throw(error) {
        observer.onEnd({ error });
        if (inner.throw === undefined) throw error;
        return await inner.throw(error);
      },
    };
    return observed;
  };
}

function isApiPromise(
  value: unknown,
): value is ApiPromise & Required<Pick<ApiPromise, 'responsePromise' | 'parseResponse'>> {
  if (typeof value !== 'object' || value === null) return false;
  const { parseResponse, responsePromise } = value as ApiPromise;
  return typeof parseResponse === 'function' && responsePromise instanceof Promise;
}

function isStream(value: unknown): value is Stream {
  return typeof value === 'object' && value !== null && typeof (value as Partial<Stream>).iterator === 'function';
}
