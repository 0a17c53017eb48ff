import type { ProcessorFactory } from '../../pipeline/component-factory.ts';
import { editingComponent } from '../editing-component.ts';
import { hashThreshold } from './hash-randomness.ts';
import { SAMPLER_MODES, type SamplerMode, sampleLogs, sampleSpans } from './probabilistic-sampler.ts';

/** `probabilistic_sampler`: keeps a share of the spans or log records. */
export const probabilisticSamplerFactory: ProcessorFactory = {
  kind: 'processor',
  type: 'probabilistic_sampler',
  signals: ['traces', 'logs'],
  configure(settings) {
    const percentage = settings.number('sampling_percentage');
    if (percentage < 0) {
      throw settings.fail('sampling_percentage', 'must be 0 or more');
    }
    const hashSeed = settings.integer('hash_seed', 0, { min: 0, max: 0xffff_ffff });
    const mode = settings.choice<SamplerMode, null>('mode', SAMPLER_MODES, null);
    const attributeSource = settings.choice('attribute_source', ['traceID', 'record'], 'traceID');
    const shared = {
      percentage,
      hashSeed,
      failClosed: settings.boolean('fail_closed', true),
      precision: settings.integer('sampling_precision', 4, { min: 1, max: 14 }),
    };
    const logs = {
      ...shared,
      attributeSource,
      fromAttribute: settings.string('from_attribute', null),
      samplingPriority: settings.string('sampling_priority', null),
    };
    if (attributeSource === 'record' && logs.fromAttribute === null) {
      throw settings.fail('attribute_source', 'record needs from_attribute, the name of the attribute');
    }
    // A seed makes sense only where something is hashed, so it chooses the mode as upstream has it.
    const spanMode = mode ?? (hashSeed === 0 ? 'proportional' : 'hash_seed');
    const logMode = mode ?? (hashSeed === 0 && attributeSource === 'traceID' ? 'proportional' : 'hash_seed');
    if (percentage > 0 && spanMode === 'hash_seed' && hashThreshold(percentage) === null) {
      throw settings.fail('sampling_percentage', 'is too little for the mode hash_seed: below one in 16384');
    }
    const edits = {
      traces: sampleSpans({ ...shared, mode: spanMode }),
      logs: sampleLogs({ ...logs, mode: logMode }),
    };
    return { mutatesData: true, create: (_, next) => editingComponent(edits, next) };
  },
};
