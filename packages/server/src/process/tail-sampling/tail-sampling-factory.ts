import type { ComponentContext } from '../../pipeline/component-context.ts';
import type { ProcessorFactory } from '../../pipeline/component-factory.ts';
import { DurableQueue } from '../../pipeline/queue/durable-queue.ts';
import { readPolicies } from './policy-settings.ts';
import { QueueJournal } from './queue-journal.ts';
import { TailSampler, type TailSamplingSettings } from './tail-sampler.ts';
import { NoJournal } from './trace-journal.ts';

/** `tail_sampling`: keeps or drops whole traces once their spans came. */
export const tailSamplingFactory: ProcessorFactory = {
  kind: 'processor',
  type: 'tail_sampling',
  signals: ['traces'],
  configure(settings) {
    const maxTraces = settings.integer('num_traces', 50_000, { min: 1 });
    const cache = settings.table('decision_cache');
    // Helps upstream to allocate; nothing is allocated ahead here.
    settings.integer('expected_new_traces_per_sec', 0, { min: 0 });
    const sampler: TailSamplingSettings = {
      decisionWaitMs: settings.duration('decision_wait', '30s'),
      maxTraces,
      maxBytes: settings.size('max_memory', '256MiB'),
      // Without a cache upstream knows a decision as long as the trace is among the latest num_traces.
      rememberedSampled: cache.integer('sampled_cache_size', 0, { min: 0 }) || maxTraces,
      rememberedNotSampled: cache.integer('non_sampled_cache_size', 0, { min: 0 }) || maxTraces,
      sampleOnFirstMatch: settings.boolean('sample_on_first_match', false),
      dropPendingOnShutdown: settings.boolean('drop_pending_traces_on_shutdown', false),
      policies: readPolicies(settings, 'policies'),
    };
    const isDurable = settings.boolean('durable', true);
    const maxDisk = settings.size('max_size', '1GiB');
    const openQueue = (context: ComponentContext) =>
      DurableQueue.open({
        folder: context.folder(),
        maxBytes: maxDisk,
        // What waits is in memory already.
        cacheBytes: 0,
        onDamage: (file, bytes) =>
          context.log.error('part of the journal is damaged and left out', undefined, { file, bytes }),
      });
    return {
      mutatesData: false,
      create: (context, next) => {
        if (next.traces === undefined) {
          throw new Error('bug: a processor of traces stands in a pipeline without them');
        }
        return new TailSampler(sampler, context, next.traces, (remembered) =>
          isDurable ? new QueueJournal(() => openQueue(context), remembered) : new NoJournal(),
        );
      },
    };
  },
};
