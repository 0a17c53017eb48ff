import { stringify } from 'yaml';
import type { ParameterDescription, RouteDescription } from './describe-route.ts';
import type { PrometheusErrorType } from './prometheus-error.ts';
import { statuses } from './prometheus-error.ts';
import type { PrometheusRoute } from './prometheus-route.ts';

export interface OpenApiOptions {
  /** Of OpenAPI. */
  readonly specification: '3.1.0' | '3.2.0';
  /** Of the program. */
  readonly version: string;
  /** Paths that routes stand below, without a slash at the end. */
  readonly roots: readonly string[];
}

/** The OpenAPI description of routes, in YAML: made of what they say of themselves. */
export function openApiDocument(routes: readonly PrometheusRoute[], options: OpenApiOptions): string {
  const paths: Record<string, Record<string, object>> = {};
  for (const route of routes) {
    const operations = paths[`/${route.pattern}`] ?? {};
    operations[route.method.toLowerCase()] = describeOperation(route);
    paths[`/${route.pattern}`] = operations;
  }
  const document = {
    openapi: options.specification,
    info: {
      title: 'Signalbox: the HTTP API of Prometheus',
      description: 'What this server answers of it.',
      version: options.version,
    },
    servers: options.roots.map((url) => ({ url })),
    paths,
    components: { schemas: { Error: errorSchema }, responses: errorResponses() },
  };
  return stringify(document, { aliasDuplicateObjects: false, lineWidth: 0 });
}

function describeOperation({ method, pattern, about }: PrometheusRoute): object {
  const id = pattern.replaceAll(/[{}]/g, '').replaceAll(/[/_.]/g, '-');
  const inPath = Array.from(pattern.matchAll(/\{(\w+)\}/g), ([, name]) => ({
    name,
    in: 'path',
    required: true,
    schema: { type: 'string' },
  }));
  const { summary, parameters = [], body } = about;
  const takesForm = method === 'POST' && body === undefined;
  const inQuery = takesForm ? [] : parameters.map(describeQueryParameter);
  const content = body === undefined ? formContent(parameters) : { [body]: { schema: { type: 'string' } } };
  return {
    operationId: method === 'POST' && takesForm ? `${id}-post` : id,
    summary,
    ...(inPath.length + inQuery.length > 0 && { parameters: [...inPath, ...inQuery] }),
    ...(method === 'POST' && { requestBody: { required: true, content } }),
    responses: {
      '200': { description: 'Success.', content: answerContent(about) },
      ...Object.fromEntries(errorStatuses.map((status) => [status, { $ref: `#/components/responses/${status}` }])),
    },
  };
}

function describeQueryParameter({ name, about, schema, isRequired = false, example }: ParameterDescription): object {
  const shown = { name, in: 'query', description: about, required: isRequired, schema };
  return example === undefined ? shown : { ...shown, example: schema.type === 'array' ? [example] : example };
}

function formContent(parameters: readonly ParameterDescription[]): object {
  const properties = parameters.map(({ name, about, schema }) => [name, { ...schema, description: about }] as const);
  const names = parameters.filter(({ isRequired }) => isRequired).map(({ name }) => name);
  const schema = {
    type: 'object',
    properties: Object.fromEntries(properties),
    ...(names.length > 0 && { required: names }),
  };
  return { 'application/x-www-form-urlencoded': { schema } };
}

function answerContent({ answers }: RouteDescription): object {
  if (typeof answers === 'string') return { [answers]: { schema: { type: 'string' } } };
  const remarks = { type: 'array', items: { type: 'string' } };
  const properties = {
    status: { type: 'string', enum: ['success'] },
    data: answers,
    warnings: remarks,
    infos: remarks,
  };
  return { 'application/json': { schema: { type: 'object', properties, required: ['status', 'data'] } } };
}

const errorTypes = Object.keys(statuses) as PrometheusErrorType[];
const errorStatuses = [...new Set(errorTypes.map((type) => String(statuses[type])))];

const errorSchema = {
  type: 'object',
  properties: {
    status: { type: 'string', enum: ['error'] },
    errorType: { type: 'string', enum: errorTypes },
    error: { type: 'string' },
  },
  required: ['status', 'errorType', 'error'],
};

function errorResponses(): object {
  const content = { 'application/json': { schema: { $ref: '#/components/schemas/Error' } } };
  return Object.fromEntries(
    errorStatuses.map((status) => {
      const types = errorTypes.filter((type) => String(statuses[type]) === status);
      return [status, { description: `An error of the type ${types.join(' or ')}.`, content }];
    }),
  );
}
