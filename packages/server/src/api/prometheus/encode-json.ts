/**
 * A sample's value as Prometheus writes it into JSON: a text, the shortest that reads back as the same double, in
 * positional notation unless it is below 1e-6 or from 1e21 on.
 */
export function floatText(value: number): string {
  if (Number.isNaN(value)) return 'NaN';
  if (!Number.isFinite(value)) return value > 0 ? '+Inf' : '-Inf';
  if (Object.is(value, -0)) return '-0';
  // JavaScript switches notation at the same places, but writes e-7 where Go has e-07.
  const text = String(value);
  return text.at(-3) === 'e' ? `${text.slice(0, -1)}0${text.at(-1)}` : text;
}

/** Milliseconds since 1970 as JSON's number of seconds, without the rounding of a division. */
export function timeText(milliseconds: number): string {
  const absolute = Math.abs(milliseconds);
  const fraction = absolute % 1000;
  const seconds = BigInt((absolute - fraction) / 1000);
  const digits = fraction === 0 ? '' : `.${String(fraction).padStart(3, '0')}`;
  return `${milliseconds < 0 ? '-' : ''}${seconds}${digits}`;
}

/** Labels as a JSON object. */
export function labelsText(labels: Iterable<readonly [name: string, value: string]>): string {
  let text = '{';
  for (const [name, value] of labels) {
    text += `${text.length > 1 ? ',' : ''}${JSON.stringify(name)}:${JSON.stringify(value)}`;
  }
  return `${text}}`;
}

/** RFC 3339; Go's zero time for what has not been. */
export function showTime(milliseconds: number): string {
  return milliseconds === 0 ? '0001-01-01T00:00:00Z' : new Date(milliseconds).toISOString();
}
