import type { Random } from './random.ts';

export type AttributeValue =
  | { type: 'string'; value: string }
  | { type: 'int'; value: number }
  | { type: 'double'; value: number }
  | { type: 'bool'; value: boolean };
export type Attribute = AttributeValue & { key: string };

/** OTLP's span kinds. */
export const SpanKind = { Internal: 1, Server: 2, Client: 3, Producer: 4, Consumer: 5 } as const;

export interface Call {
  operation: string;
  /** How often the call is made, and how many times at most when it is. */
  chance: number;
  most?: number;
}

export interface Operation {
  service: string;
  name: string;
  kind: number;
  scope: string;
  /** Median of the operation's own time in nanoseconds. */
  median: number;
  attributes(random: Random, failed: boolean): Attribute[];
  calls: Call[];
}

const string = (key: string, value: string): Attribute => ({ key, type: 'string', value });
const int = (key: string, value: number): Attribute => ({ key, type: 'int', value: Math.round(value) });
const double = (key: string, value: number): Attribute => ({ key, type: 'double', value });
const bool = (key: string, value: boolean): Attribute => ({ key, type: 'bool', value });

const agents = [
  'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0.0.0 Safari/537.36',
  'Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148',
  'Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5 Safari/605.1.15',
  'node-fetch/3.3.2',
  'curl/8.14.1',
];
const tenant = (random: Random) => string('app.tenant', `tenant-${random.skewed(300)}`);
const user = (random: Random) => string('enduser.id', `user-${random.skewed(200_000)}`);
const thread = (random: Random) => int('thread.id', random.integer(64));

function server(service: string, method: string, route: string, median: number, calls: Call[]): Operation {
  return {
    service,
    name: `${method} ${route}`,
    kind: SpanKind.Server,
    scope: '@opentelemetry/instrumentation-http',
    median,
    calls,
    attributes: (random, failed) => {
      const attributes = [
        string('http.request.method', method),
        string(
          'url.path',
          route.replaceAll(/:\w+/g, () => String(random.skewed(100_000))),
        ),
        string('url.scheme', 'https'),
        string('http.route', route),
        int('http.response.status_code', failed ? random.pick([500, 502, 503]) : random.chance(0.08) ? 404 : 200),
        string('server.address', `${service}.shop.example.com`),
        int('server.port', 443),
        string('client.address', `10.${random.integer(4)}.${random.integer(256)}.${random.integer(256)}`),
        string('user_agent.original', random.pick(agents)),
        string('network.protocol.version', random.chance(0.8) ? '2' : '1.1'),
        int('http.response.body.size', random.logNormal(4000, 1.2)),
        user(random),
        tenant(random),
      ];
      if (method === 'POST') attributes.push(int('http.request.body.size', random.logNormal(700, 1)));
      if (random.chance(0.2)) attributes.push(string('session.id', random.hex(16)));
      if (failed) attributes.push(string('error.type', random.pick(['500', 'TimeoutError', 'ECONNRESET'])));
      return attributes;
    },
  };
}

function client(service: string, target: string, method: string, median: number, calls: Call[]): Operation {
  return {
    service,
    name: method,
    kind: SpanKind.Client,
    scope: '@opentelemetry/instrumentation-undici',
    median,
    calls,
    attributes: (random, failed) => {
      const attributes = [
        string('http.request.method', method),
        string('url.full', `https://${target}.shop.example.com/v1/${target}/${random.skewed(100_000)}?expand=true`),
        string('server.address', `${target}.shop.example.com`),
        int('server.port', 443),
        string('network.peer.address', `10.96.0.${random.integer(64)}`),
        int('network.peer.port', 8443),
        int('http.response.status_code', failed ? 503 : 200),
        string('network.protocol.version', '1.1'),
      ];
      if (random.chance(0.05)) attributes.push(int('http.request.resend_count', 1 + random.integer(3)));
      if (failed) attributes.push(string('error.type', '503'));
      return attributes;
    },
  };
}

function database(service: string, table: string, verb: string, median: number): Operation {
  return {
    service,
    name: `${verb} ${table}`,
    kind: SpanKind.Client,
    scope: '@opentelemetry/instrumentation-pg',
    median,
    calls: [],
    attributes: (random) => [
      string('db.system.name', 'postgresql'),
      string('db.namespace', 'shop'),
      string('db.operation.name', verb),
      string('db.collection.name', table),
      string(
        'db.query.text',
        `${verb} id, name, price, updated_at FROM ${table} WHERE tenant = $1 AND id = ANY($2) ORDER BY updated_at DESC LIMIT ${random.pick([1, 20, 50, 100])}`,
      ),
      int('db.response.returned_rows', random.skewed(100)),
      string('server.address', 'postgres-primary.db.svc.cluster.local'),
      int('server.port', 5432),
      string('db.client.connection.pool.name', 'main'),
      double('app.db.wait_ms', random.logNormal(0.3, 1)),
      thread(random),
    ],
  };
}

function cache(service: string, verb: string, median: number): Operation {
  return {
    service,
    name: verb,
    kind: SpanKind.Client,
    scope: '@opentelemetry/instrumentation-ioredis',
    median,
    calls: [],
    attributes: (random) => {
      const key = `product:${random.skewed(500_000)}`;
      return [
        string('db.system.name', 'redis'),
        string('db.operation.name', verb),
        string('db.query.text', `${verb} ${key}`),
        int('db.redis.database_index', 0),
        string('server.address', 'redis.cache.svc.cluster.local'),
        int('server.port', 6379),
        bool('cache.hit', random.chance(0.83)),
        string('cache.key', key),
        double('cache.age_seconds', random.logNormal(40, 1.5)),
      ];
    },
  };
}

function queue(service: string, topic: string, kind: number, median: number, calls: Call[]): Operation {
  const verb = kind === SpanKind.Producer ? 'publish' : 'process';
  return {
    service,
    name: `${verb} ${topic}`,
    kind,
    scope: '@opentelemetry/instrumentation-kafkajs',
    median,
    calls,
    attributes: (random) => [
      string('messaging.system', 'kafka'),
      string('messaging.destination.name', topic),
      string('messaging.operation.name', verb),
      string('messaging.operation.type', kind === SpanKind.Producer ? 'send' : 'process'),
      string('messaging.message.id', random.hex(16)),
      string('messaging.destination.partition.id', String(random.integer(12))),
      string('messaging.client.id', `${service}-1`),
      int('messaging.kafka.offset', 4_000_000 + random.integer(1_000_000)),
      int('messaging.message.body.size', random.logNormal(900, 0.8)),
    ],
  };
}

function work(service: string, name: string, median: number, calls: Call[]): Operation {
  return {
    service,
    name,
    kind: SpanKind.Internal,
    scope: `@shop/${service}`,
    median,
    calls,
    attributes: (random) => {
      const attributes = [
        string('code.function.name', name),
        string('code.file.path', `/app/src/${service}/${name.split('.')[0]}.ts`),
        int('code.line.number', 20 + random.skewed(400)),
        tenant(random),
        string('app.order.id', random.hex(12)),
        string('app.currency', random.pick(['EUR', 'USD', 'GBP', 'JPY', 'BRL'])),
        bool('app.feature.new_pricing', random.chance(0.5)),
        double('app.score', random.next()),
        int('app.items', 1 + random.skewed(40)),
        thread(random),
      ];
      if (random.chance(0.3)) attributes.push(double('app.total', random.logNormal(60, 1)));
      return attributes;
    },
  };
}

const ms = 1_000_000;
const list: Operation[] = [
  server('gateway', 'GET', '/products/:id', 2 * ms, [{ operation: 'gateway>catalog', chance: 1 }]),
  server('gateway', 'GET', '/search', 2 * ms, [{ operation: 'gateway>search', chance: 1 }]),
  server('gateway', 'POST', '/checkout', 3 * ms, [
    { operation: 'gateway>user', chance: 1 },
    { operation: 'gateway>checkout', chance: 1 },
  ]),
  client('gateway', 'catalog', 'GET', 1 * ms, [{ operation: 'catalog:GET /v1/catalog/:id', chance: 1 }]),
  client('gateway', 'search', 'GET', 1 * ms, [{ operation: 'search:GET /v1/search', chance: 1 }]),
  client('gateway', 'user', 'GET', 1 * ms, [{ operation: 'user:GET /v1/user/:id', chance: 1 }]),
  client('gateway', 'checkout', 'POST', 1 * ms, [{ operation: 'checkout:POST /v1/checkout', chance: 1 }]),
  server('catalog', 'GET', '/v1/catalog/:id', 2 * ms, [
    { operation: 'catalog:GET', chance: 1, most: 3 },
    { operation: 'catalog:SELECT products', chance: 0.4, most: 2 },
    { operation: 'catalog:pricing.apply', chance: 0.7 },
  ]),
  server('search', 'GET', '/v1/search', 6 * ms, [
    { operation: 'search:ranking.score', chance: 1 },
    { operation: 'search:GET', chance: 1, most: 4 },
    { operation: 'search:SELECT documents', chance: 0.9, most: 3 },
  ]),
  server('user', 'GET', '/v1/user/:id', 1 * ms, [
    { operation: 'user:GET', chance: 1 },
    { operation: 'user:SELECT users', chance: 0.3 },
  ]),
  server('checkout', 'POST', '/v1/checkout', 4 * ms, [
    { operation: 'checkout:cart.validate', chance: 1 },
    { operation: 'checkout>payment', chance: 1 },
    { operation: 'checkout:INSERT orders', chance: 1 },
    { operation: 'checkout:publish orders', chance: 1, most: 2 },
  ]),
  client('checkout', 'payment', 'POST', 2 * ms, [{ operation: 'payment:POST /v1/payment', chance: 1 }]),
  server('payment', 'POST', '/v1/payment', 30 * ms, [
    { operation: 'payment:fraud.check', chance: 1 },
    { operation: 'payment:INSERT charges', chance: 1 },
  ]),
  work('catalog', 'pricing.apply', 0.4 * ms, []),
  work('search', 'ranking.score', 3 * ms, []),
  work('checkout', 'cart.validate', 1 * ms, [{ operation: 'checkout:SELECT carts', chance: 1, most: 2 }]),
  work('payment', 'fraud.check', 5 * ms, [{ operation: 'payment:GET', chance: 1, most: 3 }]),
  work('fulfilment', 'packing.plan', 8 * ms, [{ operation: 'fulfilment:SELECT stock', chance: 1, most: 4 }]),
  work('mailer', 'template.render', 2 * ms, []),
  database('catalog', 'products', 'SELECT', 1.5 * ms),
  database('search', 'documents', 'SELECT', 4 * ms),
  database('user', 'users', 'SELECT', 1 * ms),
  database('checkout', 'carts', 'SELECT', 1 * ms),
  database('checkout', 'orders', 'INSERT', 2 * ms),
  database('payment', 'charges', 'INSERT', 2 * ms),
  database('fulfilment', 'stock', 'SELECT', 1 * ms),
  cache('catalog', 'GET', 0.3 * ms),
  cache('search', 'GET', 0.3 * ms),
  cache('user', 'GET', 0.3 * ms),
  cache('payment', 'GET', 0.3 * ms),
  queue('checkout', 'orders', SpanKind.Producer, 1 * ms, [
    { operation: 'fulfilment:process orders', chance: 1 },
    { operation: 'mailer:process orders', chance: 0.6 },
  ]),
  queue('fulfilment', 'orders', SpanKind.Consumer, 3 * ms, [{ operation: 'fulfilment:packing.plan', chance: 1 }]),
  queue('mailer', 'orders', SpanKind.Consumer, 3 * ms, [{ operation: 'mailer:template.render', chance: 1 }]),
];

/** `service:span name`, or `service>target` for the client side of an HTTP call. */
const idOf = (operation: Operation): string =>
  operation.scope === '@opentelemetry/instrumentation-undici'
    ? `${operation.service}>${targetOf(operation)}`
    : `${operation.service}:${operation.name}`;

function targetOf(operation: Operation): string {
  const call = operation.calls[0]?.operation ?? '';
  return call.slice(0, call.indexOf(':'));
}

export const operations: ReadonlyMap<string, Operation> = new Map(
  list.map((operation) => [idOf(operation), operation]),
);
export const entries: readonly string[] = [
  'gateway:GET /products/:id',
  'gateway:GET /search',
  'gateway:POST /checkout',
];
export const services: readonly string[] = [...new Set(list.map((operation) => operation.service))];

/** Three pods of each service, described as the SDK's and Kubernetes' resource detectors do. */
export function resourceOf(service: string, pod: number): Attribute[] {
  const suffix = `${(service.length * 7919 + pod * 104_729).toString(36)}x${pod}`;
  const attributes = [
    string('service.name', service),
    string('service.version', `2.${service.length}.${pod === 2 ? 1 : 0}`),
    string('service.namespace', 'shop'),
    string('service.instance.id', `6f1c0b1e-55aa-4c1e-9a1d-00000000${service.length}${pod}${service.charCodeAt(0)}`),
    string('deployment.environment.name', 'production'),
    string('telemetry.sdk.language', 'nodejs'),
    string('telemetry.sdk.name', 'opentelemetry'),
    string('telemetry.sdk.version', '2.2.0'),
    string('process.runtime.name', 'nodejs'),
    string('process.runtime.version', '20.20.2'),
    int('process.pid', 1 + pod),
    string('host.name', `node-${pod}.eu-central-1.compute.internal`),
    string('host.arch', 'amd64'),
    string('os.type', 'linux'),
    string('k8s.pod.name', `${service}-7d9f8b6c5-${suffix}`),
    string('k8s.namespace.name', 'shop'),
    string('k8s.deployment.name', service),
    string('cloud.region', 'eu-central-1'),
  ];
  return attributes.slice(0, service === 'mailer' ? 12 : attributes.length);
}
