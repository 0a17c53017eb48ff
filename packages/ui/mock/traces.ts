import type { AnyValue, KeyValue, Span, SpanEvent, SpanKind, TraceResponse } from '@signalbox/api-contract';
import { Random } from './random.ts';

export const text = (stringValue: string): AnyValue => ({ stringValue });
export const int = (value: number): AnyValue => ({ intValue: String(value) });
export const bool = (boolValue: boolean): AnyValue => ({ boolValue });
const double = (doubleValue: number): AnyValue => ({ doubleValue });
export const attributes = (record: Record<string, AnyValue>): KeyValue[] =>
  Object.entries(record).map(([key, value]) => ({ key, value }));

export const services = ['storefront', 'chimney', 'checkout', 'inventory', 'payments', 'search', 'mailer'] as const;
export function resourceOf(service: string): KeyValue[] {
  return attributes({
    'service.name': text(service),
    'service.version': text(service === 'checkout' ? '4.12.0' : '2.7.1'),
    'service.instance.id': text(new Random(service.length * 7919).hex(32)),
    'deployment.environment.name': text('production'),
    'deployment.slot': text(service === 'chimney' ? 'blue' : 'green'),
    'host.name': text(`node-${service.length}.internal`),
    'process.pid': int(1000 + service.length * 13),
    'process.runtime.name': text('nodejs'),
    'process.runtime.version': text('20.20.2'),
    'process.command_args': {
      arrayValue: { values: [text('node'), text('--import'), text('@signalbox/node/register'), text('src/main.js')] },
    },
    'telemetry.sdk.name': text('opentelemetry'),
    'telemetry.sdk.language': text('nodejs'),
    'telemetry.sdk.version': text('2.9.0'),
  });
}

const scopes = [
  { name: '@opentelemetry/instrumentation-http', version: '0.211.0' },
  { name: '@opentelemetry/instrumentation-ioredis', version: '0.60.0' },
  { name: 'app', version: '' },
];

const stack = `TypeError: Cannot read properties of undefined (reading 'amount')
    at authorize (/app/src/payments/authorize.ts:88:31)
    at async PaymentService.charge (/app/src/payments/payment-service.ts:41:18)
    at async handler (/app/src/routes/checkout.ts:112:5)
    at process.processTicksAndRejections (node:internal/process/task_queues:105:5)
    at async Layer.handle (/app/node_modules/express/lib/router/layer.js:95:5)
    at async next (/app/node_modules/express/lib/router/route.js:149:13)
    at async Route.dispatch (/app/node_modules/express/lib/router/route.js:119:3)
    at async AsyncLocalStorage.run (node:async_hooks:346:14)
Caused by: UpstreamError: gateway answered 502 Bad Gateway
    at GatewayClient.post (/app/src/payments/gateway-client.ts:57:11)
    at async authorize (/app/src/payments/authorize.ts:80:20)`;

class TraceBuilder {
  readonly random: Random;
  readonly traceId: string;
  readonly spans: Span[] = [];
  readonly resources: { attributes: KeyValue[] }[] = [];
  readonly #resourceIndex = new Map<string, number>();
  readonly #baseNs: bigint;

  constructor(seed: number, traceId: string, startMs: number) {
    this.random = new Random(seed);
    this.traceId = traceId;
    this.#baseNs = BigInt(Math.round(startMs)) * 1_000_000n + BigInt(this.random.int(0, 999_999));
  }

  /** Times in milliseconds from the trace's start. */
  span(
    service: string,
    name: string,
    kind: SpanKind,
    parent: Span | null,
    start: number,
    duration: number,
    more: Record<string, AnyValue> = {},
    scope = 2,
  ): Span {
    let resource = this.#resourceIndex.get(service);
    if (resource === undefined) {
      resource = this.resources.push({ attributes: resourceOf(service) }) - 1;
      this.#resourceIndex.set(service, resource);
    }
    const startNs = this.#baseNs + BigInt(Math.round(start * 1e6));
    const durationNano = Math.max(1000, Math.round(duration * 1e6));
    const span: Span = {
      traceId: this.traceId,
      spanId: this.random.hex(16),
      parentSpanId: parent?.spanId ?? '',
      traceState: '',
      name,
      kind,
      service,
      startTimeUnixNano: String(startNs),
      endTimeUnixNano: String(startNs + BigInt(durationNano)),
      durationNano,
      status: { code: 'UNSET', message: '' },
      attributes: attributes(more),
      events: [],
      links: [],
      droppedAttributesCount: 0,
      droppedEventsCount: 0,
      droppedLinksCount: 0,
      resource,
      scope,
    };
    this.spans.push(span);
    return span;
  }

  fail(span: Span, message: string, event?: SpanEvent): void {
    span.status = { code: 'ERROR', message };
    if (event) span.events.push(event);
  }

  exception(span: Span, type: string, message: string): SpanEvent {
    return {
      timeUnixNano: span.endTimeUnixNano,
      name: 'exception',
      attributes: attributes({
        'exception.type': text(type),
        'exception.message': text(message),
        'exception.stacktrace': text(stack),
      }),
      droppedAttributesCount: 0,
    };
  }

  build(): TraceResponse {
    const spans = this.spans.sort((a, b) =>
      a.startTimeUnixNano < b.startTimeUnixNano
        ? -1
        : a.startTimeUnixNano > b.startTimeUnixNano
          ? 1
          : a.spanId < b.spanId
            ? -1
            : 1,
    );
    const start = spans[0]?.startTimeUnixNano ?? '0';
    const end =
      spans
        .map(({ endTimeUnixNano }) => endTimeUnixNano)
        .sort()
        .at(-1) ?? '0';
    return {
      traceId: this.traceId,
      startTimeUnixNano: start,
      durationNano: Number(BigInt(end) - BigInt(start)),
      spans,
      resources: this.resources,
      scopes,
      logCount: 0,
      truncated: false,
    };
  }
}

const http = (method: string, route: string, status: number, path = route): Record<string, AnyValue> => ({
  'http.request.method': text(method),
  'http.route': text(route),
  'url.path': text(path),
  'url.scheme': text('https'),
  'http.response.status_code': int(status),
  'network.protocol.version': text('1.1'),
  'user_agent.original': text(
    'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0 Safari/537.36',
  ),
});
const redis = (statement: string): Record<string, AnyValue> => ({
  'db.system.name': text('redis'),
  'db.query.text': text(statement),
  'server.address': text('dragonfly.internal'),
  'server.port': int(6379),
});
const sql = (statement: string): Record<string, AnyValue> => ({
  'db.system.name': text('postgresql'),
  'db.namespace': text('shop'),
  'db.query.text': text(statement),
  'server.address': text('pg-primary.internal'),
});

function githubTrace(build: TraceBuilder): void {
  const { random } = build;
  const route = random.pick([
    '/api/github/pulls',
    '/api/github/issues',
    '/api/github/actions/runs',
    '/api/github/releases',
  ]);
  const hit = random.chance(0.62);
  const fails = !hit && random.chance(0.08);
  const fetchTime = hit ? 0 : random.latency(190, 0.55);
  const total = 3 + random.latency(2) + fetchTime;
  const server = build.span(
    'chimney',
    `GET ${route}`,
    'SERVER',
    null,
    0,
    total,
    {
      ...http('GET', route, fails ? 502 : 200),
      'chimney.cache_hit': bool(hit),
      'chimney.cache_tier': text(hit ? random.pick(['dragonfly', 'memory']) : 'none'),
      'chimney.github_path': text(`/repos/atvirokodosprendimai/wgmesh${route.slice(11)}`),
      'http.response.body.size': int(random.int(800, 48_000)),
    },
    0,
  );
  build.span('chimney', 'GET', 'CLIENT', server, 0.4, random.latency(0.7), redis(`get gh:${route.slice(12)}`), 1);
  if (hit) return;
  const fetch = build.span('chimney', 'chimney.github_fetch', 'INTERNAL', server, 2, fetchTime + 0.4, {
    'github.api.path': text(`/repos/atvirokodosprendimai/wgmesh${route.slice(11)}`),
    'github.api.status_code': int(fails ? 502 : 200),
    'github.conditional': bool(random.chance(0.5)),
    'github.not_modified': bool(false),
  });
  const call = build.span(
    'chimney',
    'GET',
    'CLIENT',
    fetch,
    2.2,
    fetchTime,
    {
      ...http('GET', '', fails ? 502 : 200),
      'server.address': text('api.github.com'),
      'url.full': text(`https://api.github.com/repos/atvirokodosprendimai/wgmesh${route.slice(11)}?per_page=50`),
    },
    0,
  );
  if (fails) {
    build.fail(call, '');
    build.fail(
      fetch,
      'GitHub answered 502',
      build.exception(fetch, 'UpstreamError', 'GET /repos/atvirokodosprendimai/wgmesh/pulls: 502 Bad Gateway'),
    );
    build.fail(server, 'upstream failed');
  } else
    build.span(
      'chimney',
      'SET',
      'CLIENT',
      server,
      2.6 + fetchTime,
      random.latency(0.5),
      redis(`set gh:${route.slice(12)} [18432 bytes] EX 60`),
      1,
    );
}

function checkoutTrace(build: TraceBuilder, index: number): void {
  const { random } = build;
  const slow = random.chance(0.07);
  const fails = random.chance(0.05);
  let at = 1;
  const root = build.span(
    'storefront',
    'POST /checkout',
    'SERVER',
    null,
    0,
    1,
    {
      ...http('POST', '/checkout', fails ? 500 : 201),
      'user.id': text(`u-${random.int(1, 400)}`),
      'cart.items': int(random.int(1, 9)),
      'cart.total': double(Math.round(random.next() * 40_000) / 100),
    },
    0,
  );
  build.span('storefront', 'session.load', 'INTERNAL', root, at, random.latency(1.2), {
    'session.kind': text('cookie'),
  });
  at += 2;
  const call = build.span(
    'storefront',
    'POST',
    'CLIENT',
    root,
    at,
    1,
    { ...http('POST', '', fails ? 500 : 201), 'server.address': text('checkout.internal') },
    0,
  );
  // One trace in thirty comes from a machine whose clock is behind.
  const skew = index % 30 === 7 ? -9 : 0;
  const order = build.span(
    'checkout',
    'POST /orders',
    'SERVER',
    call,
    at + 0.8 + skew,
    1,
    http('POST', '/orders', fails ? 500 : 201),
    0,
  );
  let inner = at + 2 + skew;
  const stock = build.span('checkout', 'reserve stock', 'INTERNAL', order, inner, 1);
  let deep = inner + 0.3;
  for (let item = 0, count = random.int(2, 8); item < count; item++) {
    const took = random.latency(3.4);
    const reserve = build.span(
      'inventory',
      'inventory.Stock/Reserve',
      'SERVER',
      build.span('checkout', 'inventory.Stock/Reserve', 'CLIENT', stock, deep, took + 1, {
        'rpc.system': text('grpc'),
        'rpc.service': text('inventory.Stock'),
        'rpc.method': text('Reserve'),
        'server.address': text('inventory.internal'),
      }),
      deep + 0.4,
      took,
    );
    build.span(
      'inventory',
      'SELECT shop.stock',
      'CLIENT',
      reserve,
      deep + 0.8,
      took * 0.3,
      sql('SELECT available FROM stock WHERE sku = $1 FOR UPDATE'),
      1,
    );
    build.span(
      'inventory',
      'UPDATE shop.stock',
      'CLIENT',
      reserve,
      deep + 0.9 + took * 0.35,
      took * 0.4,
      sql('UPDATE stock SET available = available - $2 WHERE sku = $1'),
      1,
    );
    deep += took + 1.3;
  }
  stretch(stock, deep - inner);
  inner = deep + 0.4;
  const payTook = random.latency(slow ? 900 : 120, 0.4);
  const pay = build.span(
    'checkout',
    'POST',
    'CLIENT',
    order,
    inner,
    payTook,
    { ...http('POST', '', fails ? 500 : 200), 'server.address': text('payments.internal') },
    0,
  );
  const charge = build.span(
    'payments',
    'POST /charges',
    'SERVER',
    pay,
    inner + 0.7,
    payTook - 1.2,
    {
      ...http('POST', '/charges', fails ? 500 : 200),
      'payment.provider': text('stripe'),
      'payment.attempts': int(slow ? 3 : 1),
    },
    0,
  );
  const tries = slow ? 3 : 1;
  for (let attempt = 0; attempt < tries; attempt++) {
    const each = (payTook - 4) / tries;
    const gateway = build.span(
      'payments',
      'POST',
      'CLIENT',
      charge,
      inner + 2 + attempt * each,
      each - 0.5,
      {
        ...http('POST', '', slow && attempt < 2 ? 504 : fails ? 502 : 200),
        'server.address': text('api.stripe.com'),
        'http.request.resend_count': int(attempt),
      },
      0,
    );
    if ((slow && attempt < 2) || fails) build.fail(gateway, slow ? 'timeout' : '502 Bad Gateway');
  }
  if (fails) {
    build.fail(
      charge,
      "Cannot read properties of undefined (reading 'amount')",
      build.exception(charge, 'TypeError', "Cannot read properties of undefined (reading 'amount')"),
    );
    build.fail(pay, '');
    build.fail(order, 'payment failed');
    build.fail(call, '');
    build.fail(root, 'payment failed');
  }
  inner += payTook + 0.3;
  build.span(
    'checkout',
    'INSERT shop.orders',
    'CLIENT',
    order,
    inner,
    random.latency(4),
    sql('INSERT INTO orders (user_id, total, currency, state) VALUES ($1, $2, $3, $4) RETURNING id'),
    1,
  );
  inner += 6;
  const publish = build.span('checkout', 'publish order.created', 'PRODUCER', order, inner, random.latency(1), {
    'messaging.system': text('rabbitmq'),
    'messaging.destination.name': text('order.created'),
    'server.address': text('rabbit.internal'),
  });
  publish.events.push({
    timeUnixNano: publish.startTimeUnixNano,
    name: 'confirmed',
    attributes: attributes({ 'messaging.rabbitmq.delivery_tag': int(random.int(1, 90_000)) }),
    droppedAttributesCount: 0,
  });
  stretch(order, inner + 2 - (at + 0.8 + skew));
  stretch(call, inner + 3 - at - Math.min(0, skew));
  stretch(root, inner + 5 - Math.min(0, skew));
  if (fails) return;
  const consume = build.span('mailer', 'process order.created', 'CONSUMER', publish, inner + 14, random.latency(60), {
    'messaging.system': text('rabbitmq'),
    'messaging.destination.name': text('order.created'),
  });
  build.span(
    'mailer',
    'POST',
    'CLIENT',
    consume,
    inner + 18,
    random.latency(38),
    { ...http('POST', '', 202), 'server.address': text('api.mailgun.net') },
    0,
  );
  consume.links.push({
    traceId: build.traceId,
    spanId: publish.spanId,
    traceState: '',
    attributes: attributes({ 'messaging.batch.index': int(0) }),
  });
}

function searchTrace(build: TraceBuilder): void {
  const { random } = build;
  const total = random.latency(34, 0.7);
  const root = build.span(
    'storefront',
    'GET /search',
    'SERVER',
    null,
    0,
    total + 4,
    {
      ...http('GET', '/search', 200),
      'search.query': text(random.pick(['red shoes', 'usb-c hub', 'coffee grinder', 'desk lamp'])),
    },
    0,
  );
  const call = build.span(
    'storefront',
    'GET',
    'CLIENT',
    root,
    1,
    total + 1,
    { ...http('GET', '', 200), 'server.address': text('search.internal') },
    0,
  );
  const server = build.span('search', 'GET /query', 'SERVER', call, 1.6, total, http('GET', '/query', 200), 0);
  for (let shard = 0; shard < 4; shard++)
    build.span(
      'search',
      `shard ${shard}`,
      'INTERNAL',
      server,
      2.4 + shard * 0.2,
      random.latency(total * 0.55, 0.3) % (total * 0.95),
      { 'search.shard': int(shard), 'search.hits': int(random.int(0, 400)) },
    );
  build.span('storefront', 'render results', 'INTERNAL', root, total + 2.2, 1.6);
}

function stretch(span: Span, milliseconds: number): void {
  span.durationNano = Math.round(milliseconds * 1e6);
  span.endTimeUnixNano = String(BigInt(span.startTimeUnixNano) + BigInt(span.durationNano));
}

export const hugeTraceId = 'beef'.repeat(8);
export const brokenTraceId = 'dead'.repeat(8);
export const hostileTraceId = 'cafe'.repeat(8);
export const hostileName = '<img src=x onerror="window.hacked=1">\u202e"\'><script>window.hacked=1</script>';

export function makeTrace(index: number, startMs: number): TraceResponse {
  const traceId = new Random(index * 2_654_435_761).hex(32);
  const build = new TraceBuilder(index * 40_503 + 17, traceId, startMs);
  const kind = build.random.next();
  if (kind < 0.45) githubTrace(build);
  else if (kind < 0.75) checkoutTrace(build, index);
  else searchTrace(build);
  const trace = build.build();
  // A root that did not arrive.
  if (index % 53 === 11) trace.spans = trace.spans.filter(({ parentSpanId }) => parentSpanId !== '');
  return trace.spans.length ? trace : makeTrace(index + 100_000, startMs);
}

/** A nightly job with ten thousand spans. */
export function makeHugeTrace(startMs: number): TraceResponse {
  const build = new TraceBuilder(4711, hugeTraceId, startMs);
  const { random } = build;
  const root = build.span('inventory', 'nightly stock reconciliation', 'INTERNAL', null, 0, 1, {
    'job.name': text('reconcile'),
    'job.items': int(10_000),
  });
  let at = 5;
  while (build.spans.length < 9_996) {
    const batchStart = at;
    const batch = build.span('inventory', 'reconcile batch', 'INTERNAL', root, at, 1, { 'batch.size': int(16) });
    for (let item = 0; item < 16; item++) {
      const took = random.latency(3);
      const one = build.span('inventory', 'reconcile item', 'INTERNAL', batch, at, took, {
        sku: text(`SKU-${random.int(1000, 9999)}`),
      });
      build.span(
        'inventory',
        'SELECT shop.stock',
        'CLIENT',
        one,
        at + 0.1,
        took * 0.4,
        sql('SELECT * FROM stock WHERE sku = $1'),
        1,
      );
      const call = build.span(
        'search',
        'POST /index',
        'SERVER',
        one,
        at + took * 0.5,
        took * 0.45,
        http('POST', '/index', 200),
        0,
      );
      if (random.chance(0.004)) build.fail(call, 'index is read-only');
      at += took + 0.1;
    }
    stretch(batch, at - batchStart);
    at += 1;
  }
  while (build.spans.length < 10_000) build.span('mailer', 'report', 'INTERNAL', root, at, 2);
  stretch(root, at + 4);
  return build.build();
}

/** Everything that can be wrong with a trace, short of being no trace. */
export function makeBrokenTrace(startMs: number): TraceResponse {
  const build = new TraceBuilder(99, brokenTraceId, startMs);
  const a = build.span('checkout', 'circle a', 'INTERNAL', null, 0, 40);
  const b = build.span('payments', 'circle b', 'INTERNAL', a, 5, 20);
  a.parentSpanId = b.spanId;
  const own = build.span('checkout', 'its own parent', 'INTERNAL', null, 8, 4);
  own.parentSpanId = own.spanId;
  const orphan = build.span('mailer', 'orphan', 'CONSUMER', null, 3, 12);
  orphan.parentSpanId = 'ffffffffffffffff';
  const early = build.span('search', 'before its parent', 'SERVER', b, -30, 10);
  early.attributes = [];
  const negative = build.span('search', 'ends before it starts', 'INTERNAL', b, 9, 3);
  negative.endTimeUnixNano = String(BigInt(negative.startTimeUnixNano) - 5_000_000n);
  build.span('checkout', 'zero', 'INTERNAL', a, 12, 0);
  return build.build();
}

export function makeHostileTrace(startMs: number): TraceResponse {
  const build = new TraceBuilder(7, hostileTraceId, startMs);
  const root = build.span(hostileName, hostileName, 'SERVER', null, 0, 80, {
    [hostileName]: text(hostileName),
    'url.full': text('javascript:alert(1)'),
    huge: text('A very long value. '.repeat(60_000)),
    nested: {
      kvlistValue: {
        values: [
          { key: '__proto__', value: text(hostileName) },
          { key: 'list', value: { arrayValue: { values: [int(1), double(2.5), bool(true), {}] } } },
        ],
      },
    },
    bytes: { bytesValue: 'AAECAwQ=' },
    empty: text(''),
    nothing: {},
    'sql.injection': text("\n\nDROP TABLE spans; -- '"),
    'not.a.number': { doubleValue: 'NaN' },
    'big.int': { intValue: '9223372036854775807' },
  });
  build.fail(root, hostileName, {
    timeUnixNano: root.endTimeUnixNano,
    name: 'exception',
    attributes: attributes({
      'exception.type': text(hostileName),
      'exception.message': text(hostileName),
      'exception.stacktrace': text(hostileName.repeat(20)),
    }),
    droppedAttributesCount: 3,
  });
  build.span('javascript:alert(1)', 'a'.repeat(20_000), 'CLIENT', root, 3, 50);
  build.span('', '', 'INTERNAL', root, 4, 20);
  return build.build();
}
