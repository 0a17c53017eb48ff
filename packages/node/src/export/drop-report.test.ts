import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { RecordedWarnings } from '../testing/recorded-warnings.ts';
import { DropReport } from './drop-report.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

test('drops are said at once, counted while they go on, and counted at the end', () => {
  const warnings = new RecordedWarnings();
  const report = new DropReport('spans', 'OTEL_BSP_MAX_QUEUE_SIZE', warnings);
  report.report();
  expect(warnings.said).toEqual([]);
  for (let count = 0; count < 5; count += 1) report.add();
  expect(warnings.said).toEqual([
    'spans are being dropped: they are finished faster than the collector takes them, and the queue is full. Raise OTEL_BSP_MAX_QUEUE_SIZE or sample.',
  ]);
  vi.advanceTimersByTime(30_000);
  expect(warnings.said.slice(1)).toEqual(['5 spans were dropped, because their queue was full']);
  vi.advanceTimersByTime(300_000);
  for (let count = 0; count < 3; count += 1) report.add();
  report.report();
  expect(warnings.said.slice(2)).toEqual(['3 spans were dropped, because their queue was full']);
});
