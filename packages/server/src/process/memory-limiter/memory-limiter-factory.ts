import type { SettingsMap } from '../../config/settings-map.ts';
import type { ProcessorFactory } from '../../pipeline/component-factory.ts';
import { SIGNALS } from '../../pipeline/signal.ts';
import { MemoryLimiter, type MemoryLimits } from './memory-limiter.ts';
import { availableBytes, processMemory } from './process-memory.ts';

const MIB = 1024 * 1024;

/** `memory_limiter`: a limit in MiB goes before one in percent; the spike limit is a fifth of it unless given. */
export const memoryLimiterFactory: ProcessorFactory = {
  kind: 'processor',
  type: 'memory_limiter',
  signals: SIGNALS,
  configure(settings) {
    const limits = readMemoryLimits(settings, availableBytes());
    return {
      mutatesData: false,
      create: (context, next) => new MemoryLimiter(limits, processMemory, context, next),
    };
  },
};

export function readMemoryLimits(settings: SettingsMap, available: number): MemoryLimits {
  const checkIntervalMs = settings.duration('check_interval', '1s');
  const limitMib = settings.integer('limit_mib', 0, { min: 0 });
  const spikeMib = settings.integer('spike_limit_mib', 0, { min: 0 });
  const limitPercentage = settings.number('limit_percentage', 0, { min: 0, max: 100 });
  const spikePercentage = settings.number('spike_limit_percentage', 0, { min: 0, max: 100 });
  if (checkIntervalMs <= 0) throw settings.fail('check_interval', 'it must be more than 0');
  if (limitMib === 0 && limitPercentage === 0) {
    throw settings.failHere('limit_mib or limit_percentage is required');
  }
  const hardBytes = limitMib > 0 ? limitMib * MIB : (available * limitPercentage) / 100;
  const spikeBytes = limitMib > 0 ? spikeMib * MIB : (available * spikePercentage) / 100;
  if (spikeBytes >= hardBytes) {
    throw settings.fail(limitMib > 0 ? 'spike_limit_mib' : 'spike_limit_percentage', 'it must be less than the limit');
  }
  return { hardBytes, softBytes: hardBytes - (spikeBytes > 0 ? spikeBytes : hardBytes / 5), checkIntervalMs };
}
