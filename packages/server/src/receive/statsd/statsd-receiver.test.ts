import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import { describe, expect, it, onTestFinished, test, vi } from 'vitest';
import { SignalboxError } from '../../pipeline/signalbox-error.ts';
import { settingsOf, testContext } from '../../pipeline/testing/component-context.ts';
import { RecordSink } from '../../pipeline/testing/record-sink.ts';
import { statsdReceiverFactory } from './statsd-receiver.ts';

async function receiver(yaml: string) {
  const sink = new RecordSink();
  const context = testContext({ id: 'statsd' });
  const settings = settingsOf(`endpoint: "localhost:0"\n${yaml}`);
  const blueprint = statsdReceiverFactory.configure(settings);
  settings.finish();
  const component = blueprint.create(context, sink.consumers);
  await component.start();
  onTestFinished(() => component.shutdown(1_000));
  const [listening] = component.addresses ?? [];
  const port = Number(listening?.address.split(':').at(-1));
  const values = (name: string) =>
    sink.points.filter(({ metric }) => metric.name === name).map((point) => (point as { value?: unknown }).value);
  const refused = (reason: string) =>
    context.counted('signalbox_statsd_refused_lines', { receiver: 'statsd', reason }) ?? 0;
  const taken = () => context.counted('otelcol_receiver_received_statsd_metrics') ?? 0;
  return { sink, context, component, listening, port, values, refused, taken };
}

async function sendUdp(port: number, ...packets: string[]): Promise<void> {
  const socket = createSocket('udp4');
  for (const packet of packets) {
    await new Promise((sent) => socket.send(packet, port, '127.0.0.1', sent));
  }
  socket.close();
}

// What hot-shots 17.1.1 sends for increment, increment by 4 with a tag, decrement, gauge, gaugeDelta twice, timing, histogram, distribution
// and set: one line a datagram with a global tag, and gathered in one with a prefix, which is what it also writes to TCP.
const SINGLE = [
  'page.views:1|c|#service:shop',
  'page.views:4|c|#service:shop,route:/cart',
  'page.views:-1|c|#service:shop',
  'queue.length:17|g|#service:shop',
  'queue.length:+3|g|#service:shop',
  'queue.length:-5|g|#service:shop',
  'render:212.5|ms|#service:shop,route:/cart',
  'size:1024|h|#service:shop',
  'latency:0.25|d|#service:shop,env:prod,alone',
  'users:u1|s|#service:shop',
];
const GATHERED =
  'app.page.views:1|c\napp.page.views:4|c|#route:/cart\napp.page.views:-1|c\napp.sampled:1|c\napp.queue.length:17|g\napp.queue.length:+3|g\n' +
  'app.queue.length:-5|g\napp.render:212.5|ms|#route:/cart\napp.size:1024|h\napp.latency:0.25|d|#env:prod,alone\napp.users:u1|s';

test('what hot-shots sends in datagrams is added up and handed on', async () => {
  const { sink, listening, port, values, taken, refused } = await receiver('aggregation_interval: 200ms');
  expect(listening).toEqual({ protocol: 'statsd/UDP', address: `127.0.0.1:${port}` });
  await sendUdp(port, ...SINGLE, GATHERED);
  await vi.waitFor(() => expect([taken(), refused('malformed')]).toEqual([17, 4]));
  await vi.waitFor(() => expect(values('app.size')).toEqual([1024]));
  expect(values('queue.length')).toEqual([15]);
  expect(sink.points).toContainEqual(
    expect.objectContaining({
      metric: expect.objectContaining({ name: 'page.views', temporality: 1, monotonic: false }),
      value: 4n,
      attributes: [
        ['route', '/cart'],
        ['service', 'shop'],
      ],
    }),
  );
  expect(values('page.views')).toEqual(expect.arrayContaining([0n, 4n]));
  expect(values('render')).toEqual([212.5]);
});

describe('over TCP', () => {
  test('lines come whole, however they were cut, and the last needs no end', async () => {
    const { port, component, listening, values } = await receiver('transport: tcp\naggregation_interval: 1h');
    expect(listening?.protocol).toBe('statsd/TCP');
    const socket = connect(port, '127.0.0.1');
    for (const part of ['app.hi', 'ts:1|c\r\napp', '.hits:2|c\n\n', `${GATHERED}\nlast:`, '1|c']) {
      socket.write(part);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    socket.end();
    await once(socket, 'close');
    await component.shutdown(1_000);
    expect(values('app.hits')).toEqual([3n]);
    expect(values('app.queue.length')).toEqual([15]);
    expect(values('last')).toEqual([1n]);
  });

  test('a line without an end closes its connection', async () => {
    const { port, refused } = await receiver('transport: tcp');
    const socket = connect(port, '127.0.0.1');
    // It may hear of a reset: what it wrote last was not read.
    socket.on('error', () => {});
    const closed = new Promise((resolve) => socket.once('close', resolve));
    socket.write('x'.repeat(70_000));
    await closed;
    expect(refused('too_long')).toBe(1);
  });
});

test('the last interval is handed on when the program stops', async () => {
  const { component, port, taken, values } = await receiver('aggregation_interval: 1h');
  await sendUdp(port, 'a:1|c');
  await vi.waitFor(() => expect(taken()).toBe(1));
  expect(values('a')).toEqual([]);
  await component.shutdown(1_000);
  expect(values('a')).toEqual([1n]);
});

test('what the pipeline refuses for now is tried again, and counted on meanwhile', async () => {
  const { sink, port, taken, values } = await receiver('aggregation_interval: 100ms\nignore_host: true');
  let refusals = 0;
  sink.respond = () => {
    refusals++;
    throw new SignalboxError('unavailable', 'the disk is full', { retryAfterMs: 10 });
  };
  await sendUdp(port, 'a:1|c');
  await vi.waitFor(() => expect(refusals).toBeGreaterThan(2));
  await sendUdp(port, 'a:2|c', 'a:4|c');
  await vi.waitFor(() => expect(taken()).toBe(3));
  sink.respond = () => ({ rejected: 0, reason: '' });
  await vi.waitFor(() => expect(values('a')).toEqual([1n, 6n]));
});

test('what is refused for good is said to be lost', async () => {
  const { sink, context, port } = await receiver('aggregation_interval: 100ms');
  sink.respond = () => {
    throw new SignalboxError('invalid_argument', 'never');
  };
  await sendUdp(port, 'a:1|c');
  await vi.waitFor(() => expect(context.logged).toContain('error: Points of statsd were lost: never {"points":1}'));
});

test('a full interval ends early; what has no room then is refused and counted', async () => {
  const { sink, context, port, values, taken, refused } = await receiver(
    'aggregation_interval: 1h\nmax_series: 1\nignore_host: true',
  );
  await sendUdp(port, 'a:1|c\nb:2|c');
  await vi.waitFor(() => expect(values('a')).toEqual([1n]));
  let release = () => {};
  sink.respond = () =>
    new Promise((resolve) => {
      release = () => resolve({ rejected: 0, reason: '' });
    });
  await sendUdp(port, 'c:3|c\nd:4|c\nc:5|c');
  await vi.waitFor(() => expect([taken(), refused('full')]).toEqual([4, 1]));
  release();
  expect(context.logged).toContainEqual(expect.stringContaining('there is no room before'));
});

test('types that the mapping does not name are counted', async () => {
  const { port, refused } = await receiver('timer_histogram_mapping: [{statsd_type: timer, observer_type: summary}]');
  await sendUdp(port, 'a:1|h');
  await vi.waitFor(() => expect(refused('disabled')).toBe(1));
});

describe('a port that is taken', () => {
  it.each(['udp', 'tcp'])('of %s is told with the setting to change', async (transport) => {
    const udp = createSocket('udp4');
    await new Promise<void>((bound) => udp.bind(0, '127.0.0.1', bound));
    const tcp = createServer();
    await new Promise<void>((bound) => tcp.listen(0, '127.0.0.1', bound));
    onTestFinished(() => void [udp.close(), tcp.close()]);
    const address = transport === 'udp' ? udp.address() : tcp.address();
    const { port } = address as { port: number };
    const blueprint = statsdReceiverFactory.configure(
      settingsOf(`{endpoint: "localhost:${port}", transport: ${transport}}`),
    );
    const component = blueprint.create(testContext({ id: 'statsd/two' }), new RecordSink().consumers);
    await expect(component.start()).rejects.toMatchObject({
      message: `Port ${port} for statsd on localhost is taken by another process`,
      hint: expect.stringContaining('endpoint of receiver statsd/two'),
    });
  });
});
