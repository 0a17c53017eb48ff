import { describe, expect, it } from 'vitest';
import type { Partition } from './clickhouse/partitions.ts';
import { selectPartitions } from './retention.ts';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const NOW = 100 * DAY;

function partition(table: string, ageHours: number, bytes = 10): Partition {
  return { table, id: `${table}-${ageHours}`, start: NOW - ageHours * HOUR, rows: 1, bytes };
}

const LIMITS = { tracesMs: 2 * DAY, logsMs: DAY, metricsMs: 3 * DAY };

describe('selectPartitions', () => {
  it('keeps a partition until its last row is too old, each signal for its own time', () => {
    // The end of a partition lies 6 hours after its start.
    const partitions = [
      partition('number_points', 79),
      partition('number_points', 78),
      partition('resources', 60),
      partition('spans', 55),
      partition('red', 55),
      partition('spans', 54),
      partition('logs', 31),
      partition('logs', 30),
    ];
    expect(selectPartitions(partitions, LIMITS, NOW).map(({ id }) => id)).toEqual([
      'number_points-79',
      'spans-55',
      'red-55',
      'logs-31',
    ]);
  });

  it('drops the oldest until the rest fits', () => {
    const partitions = [
      partition('spans', 20, 50),
      partition('logs', 20, 5),
      partition('logs', 10, 20),
      partition('spans', 1, 30),
    ];
    const select = (maxBytes: number): string[] =>
      selectPartitions(partitions, { ...LIMITS, maxBytes }, NOW).map(({ id }) => id);
    expect(select(105)).toEqual([]);
    expect(select(104)).toEqual(['spans-20']);
    expect(select(54)).toEqual(['spans-20', 'logs-20']);
    expect(select(29)).toEqual(['spans-20', 'logs-20', 'logs-10', 'spans-1']);
  });

  it('keeps what others refer to as long as they are there', () => {
    const partitions = [
      partition('log_attribute_keys', 20, 50),
      partition('resources', 20, 40),
      partition('logs', 20, 30),
      partition('resources', 10, 20),
    ];
    const select = (maxBytes: number): string[] =>
      selectPartitions(partitions, { ...LIMITS, maxBytes }, NOW).map(({ id }) => id);
    expect(select(139)).toEqual(['logs-20']);
    expect(select(109)).toEqual(['logs-20', 'log_attribute_keys-20']);
    expect(select(0)).toEqual(['logs-20', 'log_attribute_keys-20', 'resources-20', 'resources-10']);
  });
});
