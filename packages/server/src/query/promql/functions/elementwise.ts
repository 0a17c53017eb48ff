/** Makes a number of a number and the scalar arguments. */
export type Elementwise = (value: number, args: readonly number[]) => number;

const degrees = 180 / Math.PI;
const radians = Math.PI / 180;

/** Functions that look at each number of a vector by itself, and leave histograms out. */
export const elementwiseFunctions: ReadonlyMap<string, Elementwise> = new Map(
  Object.entries<Elementwise>({
    abs: Math.abs,
    acos: Math.acos,
    acosh: Math.acosh,
    asin: Math.asin,
    asinh: Math.asinh,
    atan: Math.atan,
    atanh: Math.atanh,
    ceil: Math.ceil,
    clamp: (value, [low, high]) => Math.max(low, Math.min(high, value)),
    clamp_max: (value, [high]) => Math.min(high, value),
    clamp_min: (value, [low]) => Math.max(low, value),
    cos: Math.cos,
    cosh: Math.cosh,
    day_of_month: (seconds) => dateOf(seconds).getUTCDate(),
    day_of_week: (seconds) => dateOf(seconds).getUTCDay(),
    day_of_year: (seconds) => {
      const date = dateOf(seconds);
      return Math.floor((date.getTime() - Date.UTC(date.getUTCFullYear(), 0, 1)) / 86_400_000) + 1;
    },
    days_in_month: (seconds) => {
      const date = dateOf(seconds);
      return new Date(Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + 1, 0)).getUTCDate();
    },
    deg: (value) => value * degrees,
    exp: Math.exp,
    floor: Math.floor,
    hour: (seconds) => dateOf(seconds).getUTCHours(),
    ln: Math.log,
    log10: Math.log10,
    log2: Math.log2,
    minute: (seconds) => dateOf(seconds).getUTCMinutes(),
    month: (seconds) => dateOf(seconds).getUTCMonth() + 1,
    rad: (value) => value * radians,
    round: (value, [nearest = 1]) => {
      const inverse = 1 / nearest;
      return Math.floor(value * inverse + 0.5) / inverse;
    },
    sgn: (value) => (value > 0 ? 1 : value < 0 ? -1 : value),
    sin: Math.sin,
    sinh: Math.sinh,
    sqrt: Math.sqrt,
    tan: Math.tan,
    tanh: Math.tanh,
    year: (seconds) => dateOf(seconds).getUTCFullYear(),
  }),
);

/** Functions of a time that are of the evaluation's own when they have no argument. */
export const timeFunctions: ReadonlySet<string> = new Set([
  'day_of_month',
  'day_of_week',
  'day_of_year',
  'days_in_month',
  'hour',
  'minute',
  'month',
  'year',
]);

function dateOf(seconds: number): Date {
  return new Date(Math.trunc(seconds) * 1000);
}
