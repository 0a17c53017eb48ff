import { handleOf, type Instrumentation } from '../instrumentation.ts';
import { DatabaseRecorder } from './database-recorder.ts';
import { recordRedisChannels } from './redis-channels.ts';

/** The package `redis` (`@redis/client`) from version 6 on, by its tracing channels. */
export const nodeRedisInstrumentation: Instrumentation = {
  name: 'redis',
  enable(instrumentation) {
    const { wants, settings } = instrumentation;
    if (!wants.spans && !wants.metrics) return handleOf();
    const { requireParent, keys } = settings.redis;
    const recorder = new DatabaseRecorder(instrumentation, { requireParent });
    // The first of its arguments is the command.
    const argumentsOf = (args: readonly string[]): readonly string[] => args.slice(1);
    return recordRedisChannels(instrumentation, recorder, { prefix: 'node-redis', argumentsOf, keys });
  },
};
