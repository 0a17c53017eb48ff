import { httpServerInstrumentation } from './http/server.ts';
import type { Instrumentation } from './instrumentation.ts';
import { pinoInstrumentation } from './logging/pino.ts';

/** What `start` enables unless told otherwise. */
export const builtInInstrumentations: readonly Instrumentation[] = [httpServerInstrumentation, pinoInstrumentation];
