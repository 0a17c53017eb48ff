import { changes, resets } from './changes.ts';
import { idelta, irate } from './instant-rate.ts';
import { integral } from './integral.ts';
import * as overTime from './over-time.ts';
import type { RangeFunction } from './range-function.ts';
import { delta, increase, rate } from './rate.ts';
import { deriv, doubleExponentialSmoothing, predictLinear } from './trend.ts';

/** The functions over range vectors, by name; absent_over_time is made of present_over_time. */
export const rangeFunctions: ReadonlyMap<string, RangeFunction> = new Map(
  Object.entries({
    absent_over_time: overTime.presentOverTime,
    avg_over_time: overTime.avgOverTime,
    changes,
    count_over_time: overTime.countOverTime,
    delta,
    deriv,
    double_exponential_smoothing: doubleExponentialSmoothing,
    first_over_time: overTime.firstOverTime,
    idelta,
    increase,
    integral,
    irate,
    last_over_time: overTime.lastOverTime,
    mad_over_time: overTime.madOverTime,
    max_over_time: overTime.maxOverTime,
    min_over_time: overTime.minOverTime,
    predict_linear: predictLinear,
    present_over_time: overTime.presentOverTime,
    quantile_over_time: overTime.quantileOverTime,
    rate,
    resets,
    stddev_over_time: overTime.stddevOverTime,
    stdvar_over_time: overTime.stdvarOverTime,
    sum_over_time: overTime.sumOverTime,
    ts_of_first_over_time: overTime.tsOfFirstOverTime,
    ts_of_last_over_time: overTime.tsOfLastOverTime,
    ts_of_max_over_time: overTime.tsOfMaxOverTime,
    ts_of_min_over_time: overTime.tsOfMinOverTime,
  }),
);

/** The functions that `anchored`, and `smoothed`, make sense with. */
export const EXTENDED_SAFE: Readonly<Record<'anchored' | 'smoothed', readonly string[]>> = {
  anchored: ['changes', 'delta', 'increase', 'rate', 'resets'],
  smoothed: ['delta', 'increase', 'rate'],
};
