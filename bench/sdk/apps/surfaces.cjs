// One operation of a surface, over and over: `surfaces.cjs <operation> <how> <count> [package]`. Prints its CPU time in microseconds.
// How: bare; signalbox, with our wrapper; official, by hand with the API of `package` and the names that our wrapper emits.
const [operation, how, count, packageName] = process.argv.slice(2);

const work = {
  function: (n) => n + 1,
  'publish and process': (message) => message.body,
  'kv.get': () => values.get('a'),
};
const values = new Map([['a', 1]]);

const operations = {
  bare: () => ({
    function: () => work.function(1),
    'publish and process': () => work['publish and process']({ id: '1', headers: {}, body: 1 }),
    'kv.get': () => work['kv.get'](),
  }),
  signalbox: () => {
    const { observeQueue, observeStore, traced } = require(packageName);
    const plusOne = traced(work.function, { name: 'plusOne' });
    const queue = observeQueue({ name: 'orders' });
    const store = observeStore(values, { namespace: 'memory' });
    return {
      function: () => plusOne(1),
      'publish and process': () => {
        const message = { id: '1', headers: {}, body: 1 };
        queue.publish(message, () => {});
        return queue.process(message, work['publish and process']);
      },
      'kv.get': () => store.get('a'),
    };
  },
  official: () => byHand(require(packageName)),
};

/** What somebody writes who has the official packages only: a span, its attributes, a counter, a histogram, a gauge. */
function byHand({ context, metrics, propagation, ROOT_CONTEXT, SpanKind, trace }) {
  const tracer = trace.getTracer('bench');
  const meter = metrics.getMeter('bench');
  const calls = meter.createCounter('calls');
  const duration = meter.createHistogram('duration', { unit: 's' });
  const active = meter.createUpDownCounter('active');
  const measured = (labels, run) => {
    const started = performance.now();
    active.add(1, labels);
    try {
      return run();
    } finally {
      active.add(-1, labels);
      calls.add(1, { ...labels, result: 'ok' });
      duration.record((performance.now() - started) / 1000, labels);
    }
  };
  const inSpan = (name, options, parent, run) =>
    tracer.startActiveSpan(name, options, parent, (span) => {
      try {
        return run();
      } finally {
        span.end();
      }
    });
  const attributes = (verb) => ({
    'messaging.system': 'in_process',
    'messaging.destination.name': 'orders',
    'messaging.operation.name': verb,
    'messaging.message.id': '1',
  });
  return {
    function: () =>
      measured({ function_id: 'plusOne' }, () =>
        inSpan('plusOne', { attributes: { 'code.function.name': 'plusOne' } }, context.active(), () =>
          work.function(1),
        ),
      ),
    'publish and process': () => {
      const message = { id: '1', headers: {}, body: 1 };
      inSpan('publish orders', { kind: SpanKind.PRODUCER, attributes: attributes('publish') }, context.active(), () =>
        propagation.inject(context.active(), message.headers),
      );
      const parent = propagation.extract(ROOT_CONTEXT, message.headers);
      return measured({ queue: 'orders' }, () =>
        inSpan('process orders', { kind: SpanKind.CONSUMER, attributes: attributes('process') }, parent, () =>
          work['publish and process'](message),
        ),
      );
    },
    'kv.get': () =>
      measured({ namespace: 'memory', op: 'get' }, () =>
        inSpan('kv.get', { attributes: { 'kv.namespace': 'memory' } }, context.active(), work['kv.get']),
      ),
  };
}

async function main() {
  const run = operations[how]()[operation];
  const turn = () => new Promise((done) => setImmediate(done));
  // In portions, so that batches can leave in between as they do in a service.
  const repeat = async (times) => {
    for (let left = times; left > 0; left -= 100) {
      for (let n = 0; n < 100; n += 1) run();
      await turn();
    }
  };
  await repeat(Number(count) / 2);
  const before = process.cpuUsage();
  await repeat(Number(count));
  const { user, system } = process.cpuUsage(before);
  console.log(`cpu=${user + system}`);
  process.kill(process.pid, 'SIGKILL');
}

main().catch((error) => {
  console.error(error);
  process.exitCode = 1;
});
