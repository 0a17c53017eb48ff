import type { ValueType } from './ast.ts';

export interface FunctionSignature {
  readonly parameters: readonly ValueType[];
  readonly returns: ValueType;
  /** How many of the last parameter may be missing or, counted with it, given: 0: exactly one, -1: any number. */
  readonly variadic: number;
  readonly isExperimental: boolean;
}

function signature(
  parameters: readonly ValueType[],
  returns: ValueType = 'vector',
  more: { variadic?: number; isExperimental?: boolean } = {},
): FunctionSignature {
  return { parameters, returns, variadic: more.variadic ?? 0, isExperimental: more.isExperimental ?? false };
}

const ofVector = signature(['vector']);
const ofMatrix = signature(['matrix']);
const ofTime = signature(['vector'], 'vector', { variadic: 1 });
const experimental = { isExperimental: true };
const experimentalOfMatrix = signature(['matrix'], 'vector', experimental);
const experimentalScalar = signature([], 'scalar', experimental);

/** The functions of PromQL (https://prometheus.io/docs/prometheus/latest/querying/functions/), by name. */
export const functionSignatures: ReadonlyMap<string, FunctionSignature> = new Map(
  Object.entries({
    abs: ofVector,
    absent: ofVector,
    absent_over_time: ofMatrix,
    acos: ofVector,
    acosh: ofVector,
    asin: ofVector,
    asinh: ofVector,
    atan: ofVector,
    atanh: ofVector,
    avg_over_time: ofMatrix,
    ceil: ofVector,
    changes: ofMatrix,
    clamp: signature(['vector', 'scalar', 'scalar']),
    clamp_max: signature(['vector', 'scalar']),
    clamp_min: signature(['vector', 'scalar']),
    cos: ofVector,
    cosh: ofVector,
    count_over_time: ofMatrix,
    day_of_month: ofTime,
    day_of_week: ofTime,
    day_of_year: ofTime,
    days_in_month: ofTime,
    deg: ofVector,
    delta: ofMatrix,
    deriv: ofMatrix,
    double_exponential_smoothing: signature(['matrix', 'scalar', 'scalar'], 'vector', experimental),
    end: experimentalScalar,
    exp: ofVector,
    first_over_time: ofMatrix,
    floor: ofVector,
    histogram_avg: ofVector,
    histogram_count: ofVector,
    histogram_fraction: signature(['scalar', 'scalar', 'vector']),
    histogram_quantile: signature(['scalar', 'vector']),
    histogram_quantiles: signature(['vector', 'string', 'scalar', 'scalar'], 'vector', {
      variadic: 9,
      ...experimental,
    }),
    histogram_stddev: ofVector,
    histogram_stdvar: ofVector,
    histogram_sum: ofVector,
    hour: ofTime,
    idelta: ofMatrix,
    increase: ofMatrix,
    info: signature(['vector', 'vector'], 'vector', { variadic: 1, ...experimental }),
    integral: signature(['matrix', 'scalar'], 'vector', { variadic: 1, ...experimental }),
    irate: ofMatrix,
    label_join: signature(['vector', 'string', 'string', 'string'], 'vector', { variadic: -1 }),
    label_replace: signature(['vector', 'string', 'string', 'string', 'string']),
    last_over_time: ofMatrix,
    ln: ofVector,
    log10: ofVector,
    log2: ofVector,
    mad_over_time: experimentalOfMatrix,
    max_of: signature(['scalar', 'scalar'], 'scalar', experimental),
    max_over_time: ofMatrix,
    min_of: signature(['scalar', 'scalar'], 'scalar', experimental),
    min_over_time: ofMatrix,
    minute: ofTime,
    month: ofTime,
    pi: signature([], 'scalar'),
    predict_linear: signature(['matrix', 'scalar']),
    present_over_time: ofMatrix,
    quantile_over_time: signature(['scalar', 'matrix']),
    rad: ofVector,
    range: experimentalScalar,
    rate: ofMatrix,
    resets: ofMatrix,
    round: signature(['vector', 'scalar'], 'vector', { variadic: 1 }),
    scalar: signature(['vector'], 'scalar'),
    sgn: ofVector,
    sin: ofVector,
    sinh: ofVector,
    sort: ofVector,
    sort_by_label: signature(['vector', 'string'], 'vector', { variadic: -1, ...experimental }),
    sort_by_label_desc: signature(['vector', 'string'], 'vector', { variadic: -1, ...experimental }),
    sort_desc: ofVector,
    sqrt: ofVector,
    start: experimentalScalar,
    start_timestamp: signature(['vector'], 'vector', experimental),
    stddev_over_time: ofMatrix,
    stdvar_over_time: ofMatrix,
    step: experimentalScalar,
    sum_over_time: ofMatrix,
    tan: ofVector,
    tanh: ofVector,
    time: signature([], 'scalar'),
    timestamp: ofVector,
    ts_of_first_over_time: experimentalOfMatrix,
    ts_of_last_over_time: experimentalOfMatrix,
    ts_of_max_over_time: experimentalOfMatrix,
    ts_of_min_over_time: experimentalOfMatrix,
    vector: signature(['scalar']),
    year: ofTime,
  }),
);
