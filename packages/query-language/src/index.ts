export * from './logql/ast.ts';
export { applyLogqlOperator } from './logql/binary-numbers.ts';
export { formatByteSize, parseByteSize } from './logql/byte-size.ts';
export { parseGoDuration } from './logql/go-duration.ts';
export { containsIp, type IpPattern, isIpOf, parseIpPattern, parseIpPrefix } from './logql/ip-pattern.ts';
export type { JsonPath } from './logql/json-path.ts';
export { capturesOf, type LinePattern, matchesPattern, parsePatternFilter } from './logql/line-pattern.ts';
export { LogqlParseError } from './logql/parse-error.ts';
export { parseLogql, parseLogqlMatchers } from './logql/parser.ts';
export { prettyPrintLogql } from './logql/pretty-print.ts';
export { printLogql, printSelector, printStage } from './logql/print.ts';
export * from './promql/ast.ts';
export { typeOf } from './promql/check-types.ts';
export { formatPromqlDuration, parsePromqlDuration } from './promql/duration.ts';
export { type FunctionSignature, functionSignatures } from './promql/function-signatures.ts';
export { canMatchEmpty, compileMatcher } from './promql/matcher.ts';
export { ParseError, placeOf } from './promql/parse-error.ts';
export { type ParserOptions, parsePromql, parsePromqlSelector } from './promql/parser.ts';
export { prettyPrintPromql } from './promql/pretty-print.ts';
export { type PrintOptions, printPromql } from './promql/print.ts';
export { quoteGo } from './promql/quote.ts';
export { applyOperator, compareTexts, negate, type PatternMatcher } from './traceql/apply-operator.ts';
export type * as traceql from './traceql/ast.ts';
export { fieldsOf, fieldType } from './traceql/check-types.ts';
export { formatGoDuration, parseTraceqlDuration } from './traceql/duration.ts';
export { type IntrinsicName, intrinsicType, SCOPED_INTRINSICS } from './traceql/intrinsics.ts';
export { parseTraceql } from './traceql/parser.ts';
export {
  printStatic,
  printTraceql,
  printTraceqlAggregate,
  printTraceqlField,
  printTraceqlScalar,
} from './traceql/print.ts';
export * from './traceql/static.ts';
export { TraceqlError, type TraceqlErrorKind } from './traceql/traceql-error.ts';
