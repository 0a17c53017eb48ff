import { types } from 'node:util';
import { type Attributes, context } from '@opentelemetry/api';
import { redactUrl } from '../http/http-attributes.ts';
import { handleOf, type Instrumentation, type InstrumentationContext } from '../instrumentation.ts';
import type { AnyFunction } from '../modules/loaded-module.ts';
import { errorType } from '../surfaces/operation.ts';
import {
  type DatabaseCall,
  type DatabaseFailure,
  type DatabaseOperation,
  type DatabaseOutcome,
  DatabaseRecorder,
} from './database-recorder.ts';

/** The client's transport, as far as it is used here. */
interface Transport {
  readonly connectionPool?: { readonly connections?: readonly Connection[] };
}

interface Connection {
  readonly url?: URL;
}

interface Parameters {
  readonly method: string;
  readonly path: string;
  /** Since transport 8.7: which of the API's functions was called, and the parts of its path. */
  readonly meta?: { readonly name?: string; readonly pathParts?: Readonly<Record<string, unknown>> };
}

interface Options {
  readonly meta?: boolean;
}

/** What a request came to, whole. */
interface Result {
  readonly body?: unknown;
  readonly statusCode?: number;
  readonly headers?: Readonly<Record<string, unknown>>;
  readonly meta?: { readonly connection?: Connection | null };
}

/** The transport of `@elastic/elasticsearch` 8 and 9: a span and a duration for each of the API's functions, retries included. */
export const elasticsearchInstrumentation: Instrumentation = {
  name: 'elasticsearch',
  enable(instrumentation) {
    const { wants, onModule } = instrumentation;
    if (!wants.spans && !wants.metrics) return handleOf();
    const recorder = new DatabaseRecorder(instrumentation, { requireParent: false });
    return handleOf(
      onModule<{ default: { prototype: object } }>(
        '@elastic/transport',
        { versions: { from: '8', below: '10' }, files: ['lib/Transport.js', 'esm/Transport.js'] },
        (exports, { wrap }) => {
          wrap(exports.default.prototype, 'request', (request) => observeRequest(instrumentation, recorder, request));
          return undefined;
        },
      ),
    );
  },
};

/** The client's own spans, which have older names and no metric, are switched off for what is recorded here. */
function observeRequest(
  { protect }: InstrumentationContext,
  recorder: DatabaseRecorder,
  request: AnyFunction,
): AnyFunction {
  const begin = protect<[Transport, Parameters], DatabaseOperation | undefined>(
    (transport, parameters) => recorder.begin(callOf(transport, parameters)),
    () => undefined,
  );
  const succeed = protect<[DatabaseOperation, Parameters, Result], void>(
    (operation, { path }, result) => operation.end({ attributes: () => attributesOf(result, path) }),
    () => {},
  );
  const fail = protect<[DatabaseOperation, Parameters, unknown], void>(
    (operation, { path }, error) => operation.end(outcomeOf(error, path)),
    () => {},
  );
  return function (...args) {
    const parameters = args[0] as Parameters;
    const operation = begin(this as Transport, parameters);
    if (operation === undefined) return Reflect.apply(request, this, args);
    const options = args[1] as Options | undefined;
    const whole = { ...options, meta: true, openTelemetry: { enabled: false } };
    const answer = context.with(operation.context, () => Reflect.apply(request, this, [parameters, whole]));
    if (!types.isPromise(answer)) return answer;
    return (answer as Promise<Result>).then(
      (result) => {
        succeed(operation, parameters, result);
        return options?.meta === true ? result : result.body;
      },
      (error: unknown) => {
        fail(operation, parameters, error);
        throw error;
      },
    );
  };
}

function callOf(transport: Transport, { method, meta }: Parameters): DatabaseCall {
  // Which of several nodes answers is known only at the end.
  const [node, ...others] = transport.connectionPool?.connections ?? [];
  const operation = meta?.name;
  const collection = collectionOf(meta?.pathParts);
  const url = others.length === 0 ? node?.url : undefined;
  return {
    target: { system: 'elasticsearch', address: url?.hostname, port: url && portOf(url) },
    operation,
    collection,
    name: operation === undefined ? method : collection === undefined ? operation : `${operation} ${collection}`,
    attributes: () => ({ 'http.request.method': method }),
  };
}

function collectionOf(parts: Readonly<Record<string, unknown>> | undefined): string | undefined {
  const index = parts?.index;
  if (Array.isArray(index)) return index.join(',');
  return typeof index === 'string' ? index : undefined;
}

/** What is known with the answer. Of the URL not the query, which may hold what is searched for. */
function attributesOf({ headers = {}, meta }: Result, path: string): Attributes {
  const url = meta?.connection?.url;
  const cluster = headers['x-found-handling-cluster'];
  const instance = headers['x-found-handling-instance'];
  return {
    ...(url !== undefined && {
      'url.full': redactUrl(new URL(path, url)),
      'server.address': url.hostname,
      'server.port': portOf(url),
    }),
    ...(typeof cluster === 'string' && { 'db.namespace': cluster }),
    ...(typeof instance === 'string' && { 'elasticsearch.node.name': instance }),
  };
}

/** The client's errors carry what there was of an answer. */
function outcomeOf(error: unknown, path: string): DatabaseOutcome {
  const result: unknown = typeof error === 'object' && error !== null ? Reflect.get(error, 'meta') : undefined;
  if (typeof result !== 'object' || result === null) return { failure: failureOf(error, {}) };
  return { failure: failureOf(error, result), attributes: () => attributesOf(result, path) };
}

/** The server's reasons quote queries and documents: of its errors only the type is shown (`index_not_found_exception`). */
function failureOf(error: unknown, { statusCode, body }: Result): DatabaseFailure {
  if (statusCode === undefined || statusCode === 0) {
    const type = error instanceof Error ? error.name : errorType(error);
    return { type, message: error instanceof Error ? error.message : String(error) };
  }
  const cause: unknown = typeof body === 'object' && body !== null ? Reflect.get(body, 'error') : undefined;
  const type: unknown = typeof cause === 'object' && cause !== null ? Reflect.get(cause, 'type') : undefined;
  const status = String(statusCode);
  return { statusCode: status, type: status, message: typeof type === 'string' ? type : `status ${status}` };
}

function portOf({ port, protocol }: URL): number {
  return port === '' ? (protocol === 'https:' ? 443 : 80) : Number(port);
}
