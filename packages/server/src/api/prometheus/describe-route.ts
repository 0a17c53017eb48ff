/** As much of JSON Schema as answers and parameters need. */
export interface Schema {
  readonly type?: 'string' | 'number' | 'integer' | 'boolean' | 'object' | 'array';
  readonly description?: string;
  readonly enum?: readonly string[];
  readonly items?: Schema;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  /** Of an object whose names are data. */
  readonly additionalProperties?: Schema;
}

export interface ParameterDescription {
  readonly name: string;
  readonly about: string;
  readonly schema: Schema;
  readonly isRequired?: boolean;
  readonly example?: string;
}

/** What clients are told of a route. It takes no parameters but these. */
export interface RouteDescription {
  readonly summary: string;
  readonly parameters?: readonly ParameterDescription[];
  /** The type of the body, where that is no form. */
  readonly body?: string;
  /** What `data` of a success is, or the type of an answer that has no envelope. */
  readonly answers: Schema | string;
}

export const text: Schema = { type: 'string' };
export const number: Schema = { type: 'number' };
export const integer: Schema = { type: 'integer' };
export const boolean: Schema = { type: 'boolean' };
export const labels: Schema = { type: 'object', additionalProperties: text };

export function listOf(items: Schema): Schema {
  return { type: 'array', items };
}

export function oneOf(...values: string[]): Schema {
  return { type: 'string', enum: values };
}

/** An object that has all of these properties. Others may come with it. */
export function object(properties: Readonly<Record<string, Schema>>): Schema {
  return { type: 'object', properties, required: Object.keys(properties) };
}

export function mapOf(additionalProperties: Schema): Schema {
  return { type: 'object', additionalProperties };
}

function parameter(name: string, schema: Schema, about: string): ParameterDescription {
  return { name, schema, about };
}

/** The same, but a request without it is refused. */
export function required(described: ParameterDescription, example: string): ParameterDescription {
  return { ...described, isRequired: true, example };
}

const timeText = 'Seconds since 1970, or a time of RFC 3339.';

export const query = parameter('query', text, 'An expression of PromQL.');
export const time = parameter('time', text, `The moment of evaluation; now, when it is absent. ${timeText}`);
export const start = parameter('start', text, `Where the time begins. ${timeText}`);
export const end = parameter('end', text, `Where the time ends. ${timeText}`);
export const step = parameter('step', text, 'Time between evaluations: seconds, or a duration such as 1m.');
export const limit = parameter('limit', integer, 'As many at most, the rest is left out with a warning; 0: all.');
export const count = parameter('limit', integer, 'As many at most; all, when it is absent.');
export const timeout = parameter(
  'timeout',
  text,
  'Seconds, or a duration. It can only shorten what the server allows.',
);
export const lookback = parameter('lookback_delta', text, 'How old a sample may be that still counts.');
export const stats = parameter('stats', oneOf('true', 'all'), 'Statistics of the query come along.');
export const metric = parameter('metric', text, 'Only of this metric.');
export const scrapePool = parameter('scrapePool', text, 'The name of a scrape pool.');
export const match = parameter('match[]', listOf(text), 'Selectors of series, of which one must apply.');

export { parameter as describeParameter };
