// The same operation bare, with our wrapper, and by hand with the official API and the names that our wrapper emits.
const work = {
  function: (n) => n + 1,
  'publish and process': (message) => message.body,
  'kv.get': () => values.get('a'),
};
const values = new Map([['a', 1]]);

exports.wrappers = {
  bare: () => ({
    function: () => work.function(1),
    'publish and process': () => work['publish and process']({ id: '1', headers: {}, body: 1 }),
    'kv.get': () => work['kv.get'](),
  }),
  signalbox: ({ observeQueue, observeStore, traced }) => {
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
  official: byHand,
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

/** A message of a WebSocket, for which there is no stock instrumentation. */
exports.observeMessageByHand = ({ metrics, SpanKind, trace }) => {
  const tracer = trace.getTracer('bench');
  const messages = metrics.getMeter('bench').createCounter('websocket_messages_total');
  return (data, isBinary, handle) => {
    const attributes = {
      'websocket.connection_id': '1',
      'websocket.message_type': isBinary ? 'binary' : 'text',
      'websocket.message_size': data.length,
    };
    messages.add(1);
    tracer.startActiveSpan('websocket.message', { kind: SpanKind.SERVER, root: true, attributes }, (span) => {
      try {
        handle(data);
      } finally {
        span.end();
      }
    });
  };
};
