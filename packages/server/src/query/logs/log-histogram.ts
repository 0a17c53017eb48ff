import type { LogHistogramResponse } from '@signalbox/api-contract';
import { prepareFilters } from '../filter/prepare-filters.ts';
import { type QueryContext, select } from '../query-context.ts';
import { SqlParameters, type Statement } from '../sql-parameters.ts';
import { chooseSteps, type Steps, stepTimes } from '../time-range.ts';
import { type LogSearchRequest, logCondition } from './log-search-request.ts';
import { severities } from './severity.ts';

const wantedSteps = 80;

/** Matching records per step and severity. */
export async function logHistogram(
  context: QueryContext,
  asked: LogSearchRequest,
  stepMs?: number,
): Promise<LogHistogramResponse> {
  const request = { ...asked, filters: await prepareFilters(context, asked.filters, 'logs', asked.range) };
  const steps = chooseSteps(request.range, { wanted: wantedSteps, finest: 1_000, stepMs });
  const counts: LogHistogramResponse['counts'] = {};
  let total = 0;
  for (const [step, severity, count] of await select<[string, number, string]>(
    context,
    planLogHistogram(request, steps),
  )) {
    const name = severities[severity] ?? 'FATAL';
    const perStep = counts[name] ?? new Array<number>(steps.count).fill(0);
    counts[name] = perStep;
    perStep[Number(step)] = Number(count);
    total += Number(count);
  }
  return { times: stepTimes(steps), stepMs: steps.stepMs, counts, total };
}

/** Rows: step's number, severity's index, count. */
export function planLogHistogram(request: LogSearchRequest, steps: Steps): Statement {
  const parameters = new SqlParameters();
  return parameters.statement(
    `SELECT intDiv(toUnixTimestamp64Milli(time) - ${parameters.int64(steps.firstMs)}, ${parameters.int64(steps.stepMs)}) AS step,
  toUInt8(least(6, intDiv(severity_number + 3, 4))) AS severity, count()
FROM logs
WHERE ${logCondition(request, parameters)}
GROUP BY step, severity
ORDER BY severity, step`,
  );
}
