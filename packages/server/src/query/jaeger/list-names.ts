import { type QueryContext, select } from '../query-context.ts';
import { isService, shownService } from '../service-name.ts';
import { spanKindName } from '../span-codes.ts';
import { SqlParameters } from '../sql-parameters.ts';

const maxNames = 50_000;

/** Services that sent spans, sorted. */
export async function listServices(context: QueryContext): Promise<string[]> {
  const parameters = new SqlParameters();
  const statement = parameters.statement(
    `SELECT DISTINCT ${shownService()} AS shown FROM spans ORDER BY shown LIMIT ${maxNames}`,
  );
  return (await select<[string]>(context, statement)).map(([name]) => name);
}

export interface Operation {
  readonly name: string;
  /** In lower case; '' for unspecified. */
  readonly kind: string;
}

/** Names and kinds of a service's spans, sorted. @param kind in lower case; '' for all */
export async function listOperations(context: QueryContext, service: string, kind: string): Promise<Operation[]> {
  const parameters = new SqlParameters();
  const statement = parameters.statement(
    `SELECT DISTINCT name, kind FROM spans WHERE ${isService(parameters, service)} ORDER BY name, kind LIMIT ${maxNames}`,
  );
  const rows = await select<[string, number]>(context, statement);
  const operations = rows.map(([name, number]) => {
    const word = spanKindName(number).toLowerCase();
    return { name, kind: word === 'unspecified' ? '' : word };
  });
  return kind === '' ? operations : operations.filter((operation) => operation.kind === kind);
}

export interface Dependency {
  readonly parent: string;
  readonly child: string;
  readonly callCount: number;
}

/** Calls from services to services in the time, in ms since 1970. */
export async function listDependencies(context: QueryContext, fromMs: number, toMs: number): Promise<Dependency[]> {
  const parameters = new SqlParameters();
  const from = parameters.secondTime(BigInt(Math.floor(fromMs / 1000)));
  const to = parameters.secondTime(BigInt(Math.ceil(toMs / 1000)));
  const statement = parameters.statement(
    `SELECT ${shownService('source')} AS parent, ${shownService('target')} AS child, sum(edges.count) AS calls
FROM edges
WHERE time >= ${from} AND time <= ${to} AND target_type = 'service'
GROUP BY parent, child
ORDER BY parent, child
LIMIT ${maxNames}`,
  );
  const rows = await select<[string, string, number]>(context, statement);
  return rows.map(([parent, child, calls]) => ({ parent, child, callCount: Math.round(Number(calls)) }));
}
