import type { NodeType, RedFigures, ServiceMapResponse } from '@signalbox/api-contract';
import { type QueryContext, select } from '../query-context.ts';
import { type RedCells, RedTotals } from '../red/red-figures.ts';
import { inRedRange, type RedRange, redColumns, redRange } from '../red/red-range.ts';
import { shownService } from '../service-name.ts';
import { SqlParameters, type Statement } from '../sql-parameters.ts';
import type { TimeRange } from '../time-range.ts';

/** Most nodes and edges in one answer: the busiest. */
const maxEdges = 2_000;

/** Services that sent spans, whom they called, and the calls as the callers saw them. */
export async function serviceMap(context: QueryContext, range: TimeRange): Promise<ServiceMapResponse> {
  const red = redRange(range, context.nowMs);
  const figures = (cells: RedCells): RedFigures => {
    const totals = new RedTotals();
    totals.add(cells);
    return totals.figures(red.seconds);
  };
  const nodes = new Map<string, ServiceMapResponse['nodes'][number]>();
  for (const [name, ...cells] of await select<[string, ...RedCells]>(context, planNodes(red))) {
    nodes.set(`service:${name}`, { id: `service:${name}`, name, type: 'service', red: figures(cells) });
  }
  const edges: ServiceMapResponse['edges'] = [];
  for (const [from, to, type, ...cells] of await select<[string, string, NodeType, ...RedCells]>(
    context,
    planEdges(red),
  )) {
    const source = `service:${from}`;
    const target = `${type}:${to}`;
    if (!nodes.has(source)) nodes.set(source, { id: source, name: from, type: 'service', red: null });
    if (!nodes.has(target)) nodes.set(target, { id: target, name: to, type, red: null });
    edges.push({ source, target, red: figures(cells) });
  }
  return { nodes: [...nodes.values()], edges };
}

export function planNodes(red: RedRange): Statement {
  const parameters = new SqlParameters();
  return parameters.statement(
    `SELECT ${shownService()} AS shown, ${redColumns('entry = 1')}
FROM red
WHERE ${inRedRange(parameters, red)}
GROUP BY shown
ORDER BY sum(red.count) DESC, shown
LIMIT ${maxEdges}`,
  );
}

export function planEdges(red: RedRange): Statement {
  const parameters = new SqlParameters();
  return parameters.statement(
    `SELECT ${shownService('source')} AS shown_source, if(target_type = 'service', ${shownService('target')}, target) AS shown_target, target_type, ${redColumns()}
FROM edges
WHERE ${inRedRange(parameters, red)}
GROUP BY shown_source, shown_target, target_type
ORDER BY sum(edges.count) DESC, shown_source, shown_target, target_type
LIMIT ${maxEdges}`,
  );
}
