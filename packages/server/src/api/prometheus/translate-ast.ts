import {
  type DurationExpr,
  type Expr,
  functionSignatures,
  type LabelMatcher,
  type NumberLiteral,
  printPromql,
  type TimeModifiers,
} from '@signalbox/query-language';

/** An expression as the tree that Prometheus's page shows: the answer of `parse_query`. */
export function translateAst(expression: Expr): object {
  switch (expression.kind) {
    case 'number':
      return { type: 'numberLiteral', val: numberText(expression) };
    case 'string':
      return { type: 'stringLiteral', val: expression.value };
    case 'paren':
      return { type: 'parenExpr', expr: translateAst(expression.expr) };
    case 'unary':
      return { type: 'unaryExpr', op: expression.operator, expr: translateAst(expression.expr) };
    case 'vectorSelector':
      return {
        type: 'vectorSelector',
        name: expression.name,
        ...translateTime(expression),
        matchers: translateMatchers(expression.matchers),
        anchored: expression.extended === 'anchored',
        smoothed: expression.extended === 'smoothed',
      };
    case 'matrixSelector': {
      const { selector } = expression;
      return {
        ...translateAst(selector),
        type: 'matrixSelector',
        range: expression.rangeMs,
        rangeExpr: translateDuration(expression.rangeExpr),
      };
    }
    case 'subquery':
      return {
        type: 'subquery',
        expr: translateAst(expression.expr),
        range: expression.rangeMs,
        rangeExpr: translateDuration(expression.rangeExpr),
        ...translateTime(expression),
        step: expression.stepMs,
        stepExpr: translateDuration(expression.stepExpr),
      };
    case 'call': {
      const signature = functionSignatures.get(expression.name);
      return {
        type: 'call',
        func: {
          name: expression.name,
          argTypes: signature?.parameters ?? [],
          variadic: signature?.variadic ?? 0,
          returnType: signature?.returns ?? 'vector',
        },
        args: expression.args.map(translateAst),
      };
    }
    case 'aggregation':
      return {
        type: 'aggregation',
        op: expression.operator,
        expr: translateAst(expression.expr),
        param: expression.parameter === undefined ? null : translateAst(expression.parameter),
        grouping: expression.grouping,
        without: expression.isWithout,
      };
    case 'binary': {
      const { matching } = expression;
      return {
        type: 'binaryExpr',
        op: expression.operator,
        lhs: translateAst(expression.left),
        rhs: translateAst(expression.right),
        matching:
          matching === undefined
            ? null
            : {
                card: matching.cardinality,
                labels: matching.labels,
                on: matching.isOn,
                include: matching.include,
                fillValues: { lhs: matching.fillLeft ?? null, rhs: matching.fillRight ?? null },
              },
        bool: expression.returnsBool,
      };
    }
  }
}

function translateTime({ at, offsetMs, offsetExpr }: TimeModifiers): object {
  return {
    offset: offsetMs,
    offsetExpr: translateDuration(offsetExpr),
    timestamp: typeof at === 'number' ? at : null,
    startOrEnd: typeof at === 'string' ? at : null,
  };
}

function translateDuration(expression: DurationExpr | NumberLiteral | undefined): object | null {
  if (expression === undefined) return null;
  if (expression.kind === 'number') {
    return { type: 'numberLiteral', val: numberText(expression), duration: expression.isDuration };
  }
  return {
    type: 'durationExpr',
    op: expression.operator,
    lhs: translateDuration(expression.left),
    rhs: translateDuration(expression.right),
    wrapped: expression.isWrapped,
  };
}

/** In seconds if it is a duration; without an exponent. */
function numberText(literal: NumberLiteral): string {
  return printPromql({ ...literal, isDuration: false });
}

function translateMatchers(matchers: readonly LabelMatcher[]): object[] {
  return matchers.map(({ name, operator, value }) => ({ name, value, type: operator }));
}
