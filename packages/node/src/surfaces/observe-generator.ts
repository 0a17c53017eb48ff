import { types } from 'node:util';
import { context } from '@opentelemetry/api';
import type { Operation } from './operation.ts';

type AnyGenerator = Generator | AsyncGenerator;

/**
 * Observes a generator, synchronous or not, from its first step to its last: a body that never runs is no work. Steps run in
 * the operation's context, whoever asks for them. The generator stays what it is; only its methods are replaced.
 */
export function observeGenerator<Type extends AnyGenerator>(generator: Type, begin: () => Operation | undefined): Type {
  let operation: Operation | undefined;
  let hasBegun = false;
  const finish = (failure?: { readonly error: unknown }): void => {
    operation?.end(failure);
    operation = undefined;
  };
  const follow = (step: () => unknown): unknown => {
    let result: unknown;
    try {
      result = operation === undefined ? step() : context.with(operation.context, step);
    } catch (error) {
      finish({ error });
      throw error;
    }
    if (!types.isPromise(result)) {
      if (isLast(result)) finish();
      return result;
    }
    return result.then(
      (step) => {
        if (isLast(step)) finish();
        return step;
      },
      (error: unknown) => {
        finish({ error });
        throw error;
      },
    );
  };
  for (const method of ['next', 'return', 'throw'] as const) {
    const original = generator[method] as (...args: unknown[]) => unknown;
    Object.defineProperty(generator, method, {
      configurable: true,
      writable: true,
      value: (...args: unknown[]) => {
        // Before the first `next`, `return` and `throw` end it without running anything.
        if (!hasBegun && method === 'next') operation = begin();
        hasBegun = true;
        return follow(() => original.apply(generator, args));
      },
    });
  }
  return generator;
}

function isLast(step: unknown): boolean {
  return typeof step === 'object' && step !== null && Reflect.get(step, 'done') === true;
}
