import type { OperationsResponse } from '@signalbox/api-contract';
import { type QueryContext, select } from '../query-context.ts';
import { type RedCells, RedGroup } from '../red/red-figures.ts';
import { inRedRange, type RedRange, redBucketMs, redColumns, redRange, redStep } from '../red/red-range.ts';
import { isService } from '../service-name.ts';
import { spanKindName } from '../span-codes.ts';
import { SqlParameters, type Statement } from '../sql-parameters.ts';
import { chooseSteps, type Steps, type TimeRange } from '../time-range.ts';

/** Most operations in one answer: the busiest. */
const maxOperations = 500;
const sparklinePoints = 30;

/** Every span name of a service with its kind, busiest first; ties by name and kind. */
export async function listOperations(
  context: QueryContext,
  service: string,
  range: TimeRange,
): Promise<OperationsResponse> {
  const red = redRange(range, context.nowMs);
  const steps = chooseSteps(red.range, { wanted: sparklinePoints, finest: redBucketMs });
  const operations = new Map<string, { name: string; kind: number; group: RedGroup }>();
  const rows = await select<[string, number, string, ...RedCells]>(context, planOperations(service, red, steps));
  for (const [name, kind, step, ...cells] of rows) {
    const key = `${kind} ${name}`;
    const operation = operations.get(key) ?? { name, kind, group: new RedGroup() };
    operations.set(key, operation);
    operation.group.add(Number(step), cells);
  }
  const busiestFirst = [...operations.values()].sort(
    (a, b) =>
      b.group.total.count - a.group.total.count || (a.name < b.name ? -1 : a.name > b.name ? 1 : a.kind - b.kind),
  );
  return {
    operations: busiestFirst.map(({ name, kind, group }) => ({
      name,
      kind: spanKindName(kind),
      red: group.figures(red),
      sparkline: group.series(red, steps),
    })),
  };
}

export function planOperations(service: string, red: RedRange, steps: Steps): Statement {
  const parameters = new SqlParameters();
  const rows = `FROM red WHERE ${isService(parameters, service)} AND ${inRedRange(parameters, red)}`;
  return parameters.statement(
    `SELECT name, kind, ${redStep(parameters, steps.stepMs)} AS step, ${redColumns()}
${rows}
  AND (name, kind) IN (SELECT name, kind ${rows} GROUP BY name, kind ORDER BY sum(count) DESC, name, kind LIMIT ${maxOperations})
GROUP BY name, kind, step
ORDER BY name, kind, step`,
  );
}
