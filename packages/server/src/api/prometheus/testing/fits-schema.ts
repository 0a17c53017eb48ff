import type { Schema } from '../describe-route.ts';

/** What of a value is not as its schema says: a path and what is wrong there. */
export function misfitsOf(schema: Schema, value: unknown, at = '$'): string[] {
  const { type, items = {}, properties = {}, required = [], additionalProperties } = schema;
  const is = Array.isArray(value) ? 'array' : value === null ? 'null' : typeof value;
  const fits = type === undefined || type === is || (type === 'integer' && Number.isInteger(value));
  if (!fits) return [`${at} is ${is}, not ${type}`];
  const wrong = schema.enum?.includes(String(value)) === false ? [`${at} is ${String(value)}`] : [];
  if (Array.isArray(value)) wrong.push(...value.flatMap((item, index) => misfitsOf(items, item, `${at}[${index}]`)));
  else if (typeof value === 'object' && value !== null) {
    wrong.push(...required.filter((name) => !(name in value)).map((name) => `${at}.${name} is missing`));
    for (const [name, one] of Object.entries(value)) {
      const own = Object.hasOwn(properties, name) ? properties[name] : additionalProperties;
      wrong.push(...misfitsOf(own ?? {}, one, `${at}.${name}`));
    }
  }
  return wrong;
}
