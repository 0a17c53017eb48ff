import { afterAll, beforeAll, expect, test } from 'vitest';
import { App, buildPackage } from '../testing/child.ts';
import { OtlpSink } from '../testing/otlp-sink.ts';

const source = `
import { start, traced, tracedClass, tracedMethod } from '@signalbox/node';
const telemetry = start();
class Shop {
  @tracedMethod() static open(): Shop { return new Shop(); }
  @tracedMethod({ attributes: (id: string) => ({ 'order.id': id }) }) async order(id: string): Promise<string> { return this.#check(id); }
  @tracedMethod({ name: 'shop.check' }) #check(id: string): string { return id + '!'; }
  untraced(): number { return 1; }
}
class Corner extends Shop {}
@tracedClass({ name: 'mail' }) class Mailer { send(to: string): string { return to; } static Kind = class { made = true; }; }
const run: () => Promise<void> = traced(async () => {
  Shop.open().untraced();
  console.log(await new Corner().order('7'), new Mailer().send('you'), new Mailer.Kind().made);
}, { name: 'main' });
run().then(() => telemetry.shutdown());
`;

const sink = new OtlpSink();
afterAll(() => sink.close());

beforeAll(async () => {
  buildPackage();
  await sink.listen();
}, 120_000);

test('standard decorators, as tsx compiles them, in an application of its own', async () => {
  const nodeArguments = ['--import', 'tsx'];
  const app = new App({ file: 'app.mts', source, nodeArguments, env: { OTEL_EXPORTER_OTLP_ENDPOINT: sink.url } });
  expect(await app.exited, app.stderr).toEqual({ code: 0, signal: null });
  expect(app.stdout).toBe('7! you true\n');
  const main = sink.span('main');
  const under = (id: string): string[] =>
    sink.spans.flatMap(({ name, parentSpanId }) => (parentSpanId === id ? [name] : []));
  expect(under(main.spanId).sort()).toEqual(['Corner.order', 'Shop.open', 'mail.send']);
  expect(under(sink.span('Corner.order').spanId)).toEqual(['shop.check']);
  expect(sink.span('Corner.order').attributes).toMatchObject({ 'order.id': '7' });
});

test('CommonJS reaches the same functions', async () => {
  const app = new App({
    file: 'app.cjs',
    source: `const { traced } = require('@signalbox/node'); traced(function fromCommonJs() {})();`,
    env: { OTEL_EXPORTER_OTLP_ENDPOINT: sink.url },
  });
  expect(await app.exited, app.stderr).toEqual({ code: 0, signal: null });
  expect(sink.span('fromCommonJs').kind).toBe(2);
});
