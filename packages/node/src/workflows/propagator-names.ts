/** The propagators that the sandbox has, by the header in which they write the trace, or the baggage. */
const byField: Readonly<Record<string, string>> = {
  traceparent: 'tracecontext',
  baggage: 'baggage',
  b3: 'b3',
  'x-b3-traceid': 'b3multi',
  'uber-trace-id': 'jaeger',
  'x-amzn-trace-id': 'xray',
};

/**
 * The names by which the sandbox knows what a propagator with these fields does. An application's own propagator cannot be
 * taken into the sandbox, but its headers are handed on from there as they came.
 * @throws Error when the trace is in none of the headers that the sandbox can read: it would be torn in two there.
 */
export function propagatorNames(fields: readonly string[]): readonly string[] {
  const names = fields.flatMap((field) => byField[field.toLowerCase()] ?? []);
  if (fields.length > 0 && !names.some((name) => name !== 'baggage'))
    throw new Error(
      `workflows cannot read a trace out of ${fields.join(', ')}, which is what the global propagator writes: add one of ${Object.values(byField).join(', ')} to it`,
    );
  return names;
}
