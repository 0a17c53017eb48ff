import { RE2JS } from 're2js';
import { parseIpPrefix } from '../logql/ip-pattern.ts';
import type { TextRange } from '../promql/ast.ts';
import type {
  Aggregate,
  CidrTest,
  Field,
  FieldExpr,
  MetricsExpr,
  Pipeline,
  ScalarExpr,
  Stage,
  TraceqlQuery,
} from './ast.ts';
import { intrinsicType } from './intrinsics.ts';
import { canCombine, fitsOperator, givesBool, type OperandType } from './operand-types.ts';
import { printTraceqlField, printTraceqlScalar } from './print.ts';
import { isNumeric } from './static.ts';
import { TraceqlError, type TraceqlErrorKind } from './traceql-error.ts';

/** Groupings of one metrics function; quantiles and histograms need one for their buckets. */
const MAX_GROUPINGS = 5;
/** Values of an attribute that `compare()` lists. */
const MAX_TOP = 1000;

/** Checks that the parts of a query fit together. Throws TraceqlError of kind `type` or `unsupported`. */
export function checkTypes(query: string, { expr }: TraceqlQuery): void {
  const checker = new TypeChecker(query);
  if (expr.kind === 'pipeline') checker.pipeline(expr);
  else checker.metrics(expr);
}

/** The type of an expression's value, as far as the query alone tells. */
export function fieldType(expr: FieldExpr): OperandType {
  switch (expr.kind) {
    case 'literal':
      return expr.value.type;
    case 'attribute':
      return 'attribute';
    case 'intrinsic':
      return intrinsicType(expr.name);
    case 'existence':
    case 'cidr':
      return 'bool';
    case 'unary':
      return fieldType(expr.expr);
    case 'binary': {
      if (givesBool(expr.operator)) return 'bool';
      const left = fieldType(expr.left);
      return left === 'attribute' ? fieldType(expr.right) : left;
    }
  }
}

/** Whether the expression's value depends on the span at all. */
function referencesSpan(expr: FieldExpr): boolean {
  switch (expr.kind) {
    case 'literal':
      return false;
    case 'attribute':
    case 'intrinsic':
      return true;
    case 'existence':
    case 'unary':
    case 'cidr':
      return referencesSpan(expr.expr);
    case 'binary':
      return referencesSpan(expr.left) || referencesSpan(expr.right);
  }
}

/** undefined: a set of spans. */
function scalarType(expr: ScalarExpr): OperandType | undefined {
  switch (expr.kind) {
    case 'literal':
      return expr.value.type;
    case 'aggregate':
      return expr.expr === undefined ? 'int' : fieldType(expr.expr);
    case 'scalarOperation': {
      const left = scalarType(expr.left);
      return left === 'attribute' ? scalarType(expr.right) : left;
    }
    case 'pipeline': {
      const last = expr.stages.at(-1);
      return last?.kind === 'aggregate' ? scalarType(last) : undefined;
    }
  }
}

class TypeChecker {
  readonly #query: string;

  constructor(query: string) {
    this.#query = query;
  }

  pipeline({ stages }: Pipeline): void {
    for (const stage of stages) this.#stage(stage);
  }

  metrics(expr: MetricsExpr): void {
    if (expr.kind === 'metricsQuery') {
      this.pipeline(expr.pipeline);
      this.#aggregate(expr);
    } else {
      for (const side of [expr.left, expr.right]) {
        if (side.kind === 'literal') continue;
        if (side.kind === 'metricsQuery' && side.aggregate.kind === 'compare') this.#failCompare(expr.range);
        this.metrics(side);
      }
    }
    for (const stage of expr.stages) {
      if (stage.kind !== 'metricsFilter' && stage.limit <= 0) this.#fail('limit must be greater than 0', stage.range);
    }
  }

  #aggregate(expr: MetricsExpr & { kind: 'metricsQuery' }): void {
    const { aggregate, stages } = expr;
    if (aggregate.kind === 'compare') {
      this.#stage(aggregate.selection);
      if (stages.length > 0) this.#failCompare(stages[0]?.range ?? aggregate.range);
      if (!(aggregate.topN >= 1 && aggregate.topN <= MAX_TOP)) {
        this.#fail(`compare() top number of values must be an integer between 1 and ${MAX_TOP}`, aggregate.range);
      }
      if (aggregate.start !== 0n && aggregate.end === 0n) {
        this.#fail('compare() end timestamp must be given with the start', aggregate.range);
      }
      if (aggregate.end < aggregate.start) {
        this.#fail('compare() end timestamp must be greater than start timestamp', aggregate.range);
      }
      return;
    }
    const { by, field, quantiles, range } = aggregate;
    if (field !== undefined) this.#fieldExpr(field);
    for (const each of by) this.#fieldExpr(each);
    const reserved =
      aggregate.function === 'quantile_over_time' || aggregate.function === 'histogram_over_time' ? 1 : 0;
    if (by.length + reserved > MAX_GROUPINGS) {
      this.#fail(`metrics group by ${by.length} values not yet supported`, range, 'unsupported');
    }
    const outside = quantiles.find((quantile) => !(quantile >= 0 && quantile <= 1));
    if (outside !== undefined) this.#fail(`quantile must be between 0 and 1: ${outside}`, range);
  }

  #failCompare(range: TextRange): never {
    return this.#fail('`compare()` cannot be used with second stage functions', range);
  }

  #stage(stage: Stage): void {
    switch (stage.kind) {
      case 'spansetFilter': {
        this.#fieldExpr(stage.condition);
        const type = fieldType(stage.condition);
        if (type !== 'attribute' && type !== 'bool') {
          const text = printTraceqlField(stage.condition);
          this.#fail(`span filter field expressions must resolve to a boolean: { ${text} }`, stage.condition.range);
        }
        return;
      }
      case 'spansetOperation':
        for (const side of [stage.left, stage.right]) {
          if (side.kind === 'pipeline') this.pipeline(side);
          else this.#stage(side);
        }
        return;
      case 'scalarFilter':
        this.#scalarFilter(stage);
        return;
      case 'groupBy':
        if (!referencesSpan(stage.expr)) {
          const text = printTraceqlField(stage.expr);
          this.#fail(`grouping field expressions must reference the span: by(${text})`, stage.expr.range);
        }
        this.#fieldExpr(stage.expr);
        return;
      case 'select':
        for (const field of stage.fields) this.#fieldExpr(field);
        return;
      case 'aggregate':
        this.#scalar(stage);
        return;
      case 'coalesce':
        return;
    }
  }

  /** Only an aggregate beside a number can be evaluated: everything else is checked first, and then refused, as in Tempo. */
  #scalarFilter(stage: Stage & { kind: 'scalarFilter' }): void {
    const { operator, left, right, range } = stage;
    this.#scalar(left);
    this.#scalar(right);
    this.#operands(operator, scalarType(left), scalarType(right), range, () => {
      return `${printTraceqlScalar(left)} ${operator} ${printTraceqlScalar(right)}`;
    });
    const isPlain =
      (left.kind === 'aggregate' && right.kind === 'literal') ||
      (left.kind === 'literal' && right.kind === 'aggregate');
    if (!isPlain) {
      this.#fail('only an aggregate can be compared, with a number: others are not supported', range, 'unsupported');
    }
  }

  #scalar(expr: ScalarExpr): void {
    switch (expr.kind) {
      case 'literal':
        return;
      case 'pipeline':
        this.pipeline(expr);
        return;
      case 'scalarOperation':
        this.#scalar(expr.left);
        this.#scalar(expr.right);
        this.#operands(expr.operator, scalarType(expr.left), scalarType(expr.right), expr.range, () =>
          printTraceqlScalar(expr),
        );
        return;
      case 'aggregate':
        this.#spansetAggregate(expr);
    }
  }

  #spansetAggregate(aggregate: Aggregate): void {
    const { expr, range } = aggregate;
    if (expr === undefined) return;
    this.#fieldExpr(expr);
    const type = fieldType(expr);
    const text = printTraceqlScalar(aggregate);
    if (type !== 'attribute' && !isNumeric(type)) {
      this.#fail(`aggregate field expressions must resolve to a number type: ${text}`, range);
    }
    if (!referencesSpan(expr)) this.#fail(`aggregate field expressions must reference the span: ${text}`, range);
  }

  #fieldExpr(expr: FieldExpr): void {
    switch (expr.kind) {
      case 'literal':
        return;
      case 'attribute':
        if (expr.isParent) this.#fail('parent not yet supported', expr.range, 'unsupported');
        return;
      case 'intrinsic':
        if (expr.name === 'parent') this.#fail('intrinsic (parent) not yet supported', expr.range, 'unsupported');
        return;
      case 'existence':
        this.#fieldExpr(expr.expr);
        if (!expr.exists) this.#checkAbsence(expr.expr, expr.range);
        return;
      case 'unary': {
        this.#fieldExpr(expr.expr);
        const type = fieldType(expr.expr);
        const fits = type === 'attribute' || (expr.operator === '-' ? isNumeric(type) : type === 'bool');
        if (!fits) this.#fail(`illegal operation for the given type: ${printTraceqlField(expr)}`, expr.range);
        return;
      }
      case 'cidr':
        this.#fieldExpr(expr.expr);
        this.#cidr(expr);
        return;
      case 'binary':
        this.#fieldExpr(expr.left);
        this.#fieldExpr(expr.right);
        this.#operands(expr.operator, fieldType(expr.left), fieldType(expr.right), expr.range, () =>
          printTraceqlField(expr),
        );
        if (expr.operator === '=~' || expr.operator === '!~') this.#pattern(expr.right);
    }
  }

  #checkAbsence(expr: FieldExpr, range: TextRange): void {
    const isService = expr.kind === 'attribute' && expr.scope === 'resource' && expr.name === 'service.name';
    if (expr.kind !== 'intrinsic' && !isService) return;
    const what = isService ? 'resource.service.name' : 'intrinsics';
    this.#fail(`${printTraceqlField(expr)}=nil is not valid because ${what} cannot be nil`, range);
  }

  #cidr(test: CidrTest): void {
    const type = fieldType(test.expr);
    if (type !== 'attribute' && type !== 'string') {
      this.#fail(`cidr() requires a string as its first argument: ${printTraceqlField(test)}`, test.expr.range);
    }
    for (const prefix of test.prefixes) {
      if (parseIpPrefix(String(prefix.value.value)) !== undefined) continue;
      this.#fail(`cidr() has an invalid prefix: ${printTraceqlField(prefix)}`, prefix.range);
    }
  }

  #pattern(expr: FieldExpr): void {
    if (expr.kind !== 'literal' || expr.value.type !== 'string') {
      this.#fail(`invalid type for =~ or !~: ${printTraceqlField(expr)}`, expr.range);
    }
    try {
      RE2JS.compile(`^(?s:${expr.value.value})$`);
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      this.#fail(`invalid regex: ${printTraceqlField(expr)}: ${reason}`, expr.range);
    }
  }

  #operands(
    operator: Parameters<typeof fitsOperator>[0],
    left: OperandType | undefined,
    right: OperandType | undefined,
    range: TextRange,
    print: () => string,
  ): void {
    if (left === undefined || right === undefined) return;
    if (!canCombine(left, right)) this.#fail(`binary operations must operate on the same type: ${print()}`, range);
    if (!fitsOperator(operator, left) || !fitsOperator(operator, right)) {
      this.#fail(`illegal operation for the given types: ${print()}`, range);
    }
  }

  #fail(reason: string, range: TextRange, kind: TraceqlErrorKind = 'type'): never {
    throw new TraceqlError(kind, this.#query, range, reason);
  }
}

/** The fields that an expression reads, each as often as it stands there. */
export function fieldsOf(expr: FieldExpr): readonly Field[] {
  switch (expr.kind) {
    case 'literal':
      return [];
    case 'attribute':
    case 'intrinsic':
      return [expr];
    case 'existence':
    case 'unary':
    case 'cidr':
      return fieldsOf(expr.expr);
    case 'binary':
      return [...fieldsOf(expr.left), ...fieldsOf(expr.right)];
  }
}
