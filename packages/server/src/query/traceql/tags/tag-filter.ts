import { parseTraceql, type traceql } from '@signalbox/query-language';

/**
 * What a query of completion asks of spans, as far as it is known while somebody still writes it: comparisons that are
 * whole, with a scope. undefined: everything.
 */
export function tagFilter(query: string): traceql.FieldExpr | undefined {
  const expr = (tryParse(query) ?? tryParse(wholeComparisons(query)))?.expr;
  const pipeline = expr?.kind === 'metricsQuery' ? expr.pipeline : expr;
  if (pipeline?.kind !== 'pipeline') return undefined;
  const [first] = pipeline.stages;
  return first?.kind === 'spansetFilter' ? scopedParts(first.condition) : undefined;
}

function tryParse(query: string): traceql.TraceqlQuery | undefined {
  try {
    return parseTraceql(query);
  } catch {
    return undefined; // it is being written
  }
}

const COMPARISON =
  /(?:(?:span|resource|event|link|instrumentation)\.(?:"(?:[^"\\]|\\.)*"|[^\s{}()=~!<>&|^,"]+)+|\b(?:name|status|kind|duration|statusMessage|[a-z]+:[A-Za-z]+))\s*(?:=~|!~|!=|>=|<=|=|>|<)\s*(?:"(?:[^"\\]|\\.)*"|`[^`]*`|[\w.]+)/g;

/** The comparisons that are there as a whole, if all of them must hold. */
function wholeComparisons(query: string): string {
  return query.includes('||') ? '{}' : `{ ${(query.match(COMPARISON) ?? []).join(' && ')} }`;
}

/** Of a conjunction, what has a scope; of everything else, all or nothing. */
function scopedParts(expr: traceql.FieldExpr): traceql.FieldExpr | undefined {
  if (expr.kind === 'binary' && expr.operator === '&&') {
    const left = scopedParts(expr.left);
    const right = scopedParts(expr.right);
    return left === undefined ? right : right === undefined ? left : { ...expr, left, right };
  }
  if (expr.kind === 'literal') return undefined;
  return isScoped(expr) ? expr : undefined;
}

function isScoped(expr: traceql.FieldExpr): boolean {
  switch (expr.kind) {
    case 'attribute':
      return expr.scope !== 'none';
    case 'binary':
      return isScoped(expr.left) && isScoped(expr.right);
    case 'unary':
    case 'existence':
    case 'cidr':
      return isScoped(expr.expr);
    default:
      return true;
  }
}
