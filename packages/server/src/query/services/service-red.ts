import type { RedResponse } from '@signalbox/api-contract';
import { type QueryContext, select } from '../query-context.ts';
import { type RedCells, RedGroup } from '../red/red-figures.ts';
import { inRedRange, type RedRange, redBucketMs, redColumns, redRange, redStep } from '../red/red-range.ts';
import { isService } from '../service-name.ts';
import { SqlParameters, type Statement } from '../sql-parameters.ts';
import { chooseSteps, type Steps, type TimeRange } from '../time-range.ts';

export interface ServiceRedRequest {
  readonly service: string;
  readonly range: TimeRange;
  /** A span name; without one: the service's requests. */
  readonly operation?: string | undefined;
  /** OTLP's number. */
  readonly kind?: number | undefined;
  readonly stepMs?: number | undefined;
}

const chartPoints = 120;

/** Figures of a service, or of one of its operations, over the range and per step. */
export async function serviceRed(context: QueryContext, request: ServiceRedRequest): Promise<RedResponse> {
  const red = redRange(request.range, context.nowMs);
  const steps = chooseSteps(red.range, { wanted: chartPoints, finest: redBucketMs, stepMs: request.stepMs });
  const group = new RedGroup();
  for (const [step, ...cells] of await select<[string, ...RedCells]>(context, planServiceRed(request, red, steps))) {
    group.add(Number(step), cells);
  }
  return { red: group.figures(red), series: group.series(red, steps) };
}

export function planServiceRed(request: ServiceRedRequest, red: RedRange, steps: Steps): Statement {
  const parameters = new SqlParameters();
  const conditions = [isService(parameters, request.service), inRedRange(parameters, red)];
  if (request.operation === undefined) conditions.push('entry = 1');
  else conditions.push(`name = ${parameters.string(request.operation)}`);
  if (request.kind !== undefined) conditions.push(`kind = ${parameters.uint32(request.kind)}`);
  return parameters.statement(
    `SELECT ${redStep(parameters, steps.stepMs)} AS step, ${redColumns()}
FROM red
WHERE ${conditions.join(' AND ')}
GROUP BY step
ORDER BY step`,
  );
}
