import { handleOf, type Instrumentation, type InstrumentationHandle } from '../../instrumentation.ts';
import { hasWholeSynchronousHooks } from '../../modules/es-module-loads.ts';
import { currentRequestState, recordRequestException } from '../request-state.ts';

/**
 * NestJS 9 to 12. Routes are those of the Express or Fastify below it. What handlers, guards, pipes and interceptors throw
 * never gets there: Nest's own filters, through which all of it passes, answer for them.
 */
export const nestInstrumentation: Instrumentation = {
  name: 'nestjs',
  enable({ onModule, protect }): InstrumentationHandle {
    const record = protect(
      (exception: unknown): void => {
        const state = currentRequestState();
        // That there is no such route is an exception to Nest.
        if (state?.route !== undefined) recordRequestException(state, exception);
      },
      () => {},
    );
    const versions = { from: '9', below: '13' };
    // Where `require` loads Nest 12, an ES module, and Node cannot hook what that imports: all but the application's own filters.
    const watchBuiltInFilter = (): (() => void) =>
      onModule<{ readonly BaseExceptionFilter?: { readonly prototype: { catch: unknown } } }>(
        '@nestjs/core',
        { versions },
        ({ BaseExceptionFilter }, { wrap }) => {
          if (BaseExceptionFilter === undefined) return;
          wrap(
            BaseExceptionFilter.prototype,
            'catch',
            (original) =>
              function (exception, ...rest) {
                record(exception);
                return Reflect.apply(original, this, [exception, ...rest]);
              },
          );
        },
      );
    return handleOf(
      onModule<{ readonly ExceptionsHandler: { readonly prototype: { next: unknown } } }>(
        '@nestjs/core',
        { versions, files: ['exceptions/exceptions-handler.js'] },
        ({ ExceptionsHandler }, { wrap }) => {
          wrap(
            ExceptionsHandler.prototype,
            'next',
            (next) =>
              function (exception, ...rest) {
                record(exception);
                return Reflect.apply(next, this, [exception, ...rest]);
              },
          );
        },
      ),
      hasWholeSynchronousHooks() ? () => {} : watchBuiltInFilter(),
    );
  },
};
