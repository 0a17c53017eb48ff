/** How samples are shown to who scrapes them. */
export interface ExpositionChoice {
  readonly format: 'protobuf' | 'text';
  readonly utf8Names: boolean;
}

/**
 * The format that a scraper wants most, of what it names in `Accept`; text where it names none that is there. Names of any characters are for
 * those who say so. Only underscores escape others, whichever way was asked for.
 */
export function negotiateExposition(accept: string): ExpositionChoice {
  let utf8Names = false;
  for (const { type, parameters } of clausesOf(accept)) {
    const escaping = parameters.get('escaping');
    if (escaping !== undefined) utf8Names = escaping === 'allow-utf-8';
    if (isProtobuf(type, parameters)) return { format: 'protobuf', utf8Names };
    if (type === 'text/plain' && ['', '0.0.4'].includes(parameters.get('version') ?? '')) break;
  }
  return { format: 'text', utf8Names };
}

interface Clause {
  readonly type: string;
  readonly parameters: ReadonlyMap<string, string>;
}

/** What is wanted most first. */
function clausesOf(accept: string): Clause[] {
  const clauses = accept.split(',').map((clause) => {
    const [type = '', ...parts] = clause.split(';').map((part) => part.trim());
    const pairs = parts
      .map((part) => part.split('=', 2))
      .map(([name = '', value = '']) => [name.trim(), value] as const);
    return { type, parameters: new Map(pairs) };
  });
  const weightOf = ({ parameters }: Clause): number => Number(parameters.get('q') ?? 1) || 0;
  return clauses.sort((a, b) => weightOf(b) - weightOf(a));
}

function isProtobuf(type: string, parameters: Clause['parameters']): boolean {
  return (
    type === 'application/vnd.google.protobuf' &&
    parameters.get('proto') === 'io.prometheus.client.MetricFamily' &&
    parameters.get('encoding') === 'delimited'
  );
}
