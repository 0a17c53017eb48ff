import type { ServicesResponse } from '@signalbox/api-contract';
import { type QueryContext, select } from '../query-context.ts';
import { type RedCells, RedGroup } from '../red/red-figures.ts';
import { inRedRange, type RedRange, redBucketMs, redColumns, redRange, redStep } from '../red/red-range.ts';
import { shownService } from '../service-name.ts';
import { SqlParameters, type Statement } from '../sql-parameters.ts';
import { isInTime } from '../time-condition.ts';
import { chooseSteps, nanosPerSecond, partitionNanos, type Steps, type TimeRange } from '../time-range.ts';

/** Most services in one answer. */
const maxServices = 2_000;
const sparklinePoints = 30;

/** Services with the figures of their requests (SERVER, CONSUMER and root spans), and those that sent only logs or metrics. */
export async function listServices(context: QueryContext, range: TimeRange): Promise<ServicesResponse> {
  const red = redRange(range, context.nowMs);
  const steps = chooseSteps(red.range, { wanted: sparklinePoints, finest: redBucketMs });
  const groups = new Map<string, RedGroup>();
  const rows = await select<[string, string, ...RedCells]>(context, planServices(red, steps));
  for (const [service, step, ...cells] of rows) {
    const group = groups.get(service) ?? new RedGroup();
    groups.set(service, group);
    group.add(Number(step), cells);
  }
  for (const [service] of await select<[string]>(context, planOtherServices(range))) {
    if (!groups.has(service)) groups.set(service, new RedGroup());
  }
  const names = [...groups.keys()].sort();
  return {
    services: names.map((name) => {
      const group = groups.get(name) as RedGroup;
      return { name, red: group.figures(red), sparkline: group.series(red, steps) };
    }),
  };
}

/** Every service with spans: one that sends no requests has steps with a count of 0. */
export function planServices(red: RedRange, steps: Steps): Statement {
  const parameters = new SqlParameters();
  return parameters.statement(
    `SELECT ${shownService()} AS shown, ${redStep(parameters, steps.stepMs)} AS step, ${redColumns('entry = 1')}
FROM red
WHERE ${inRedRange(parameters, red)}
  AND service IN (SELECT service FROM red WHERE ${inRedRange(parameters, red)} GROUP BY service ORDER BY sum(count) DESC, service LIMIT ${maxServices})
GROUP BY shown, step
ORDER BY shown, step`,
  );
}

/** Services with log records in the range, or with metrics in the parts that the range touches. */
export function planOtherServices(range: TimeRange): Statement {
  const parameters = new SqlParameters();
  const partStart = parameters.secondTime(((range.from / partitionNanos) * partitionNanos) / nanosPerSecond);
  const end = parameters.secondTime((range.to - 1n) / nanosPerSecond);
  return parameters.statement(
    `SELECT DISTINCT ${shownService()} AS shown
FROM (
  SELECT DISTINCT service FROM logs WHERE ${isInTime(range, parameters)}
  UNION ALL
  SELECT DISTINCT service FROM series WHERE time >= ${partStart} AND time <= ${end}
)
ORDER BY shown
LIMIT ${maxServices}`,
  );
}
