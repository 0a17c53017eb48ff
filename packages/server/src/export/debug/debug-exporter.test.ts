import { expect, test } from 'vitest';
import { settingsOf, testContext } from '../../pipeline/testing/component-context.ts';
import { logsOf } from '../../pipeline/testing/record-sink.ts';
import { debugExporterFactory } from './debug-exporter.ts';

function debug(yaml: string, now = () => 0) {
  const settings = settingsOf(yaml);
  const blueprint = debugExporterFactory.configure(settings);
  settings.finish();
  const context = testContext({ now });
  const { consumers } = blueprint.create(context);
  const send = async (count = 1) => {
    const logRecords = Array.from({ length: count }, () => ({ timeUnixNano: '7', body: { stringValue: 'hello' } }));
    const resource = { attributes: [{ key: 'service.name', value: { stringValue: 'shop' } }] };
    await consumers.logs?.consume(logsOf({ resourceLogs: [{ resource, scopeLogs: [{ logRecords }] }] }));
  };
  return { context, send };
}

test('basic says how many, normal says what, detailed says whose', async () => {
  const basic = debug('{}');
  await basic.send(3);
  expect(basic.context.logged).toEqual(['info: logs {"log_records":3}']);
  const normal = debug('verbosity: normal');
  await normal.send();
  expect(normal.context.logged[1]).toContain('"body":"hello"');
  expect(normal.context.logged[1]).not.toContain('shop');
  const detailed = debug('verbosity: detailed');
  await detailed.send();
  expect(detailed.context.logged[1]).toContain('"service":"shop"');
});

test('what is written is bounded, in a batch and in a second', async () => {
  const large = debug('verbosity: normal');
  await large.send(150);
  expect(large.context.logged).toHaveLength(102);
  expect(large.context.logged.at(-1)).toBe('info: … and more {"log_records":50}');
  let now = 0;
  const { context, send } = debug('{sampling_initial: 1, sampling_thereafter: 3}', () => now);
  for (let i = 0; i < 7; i++) await send();
  expect(context.logged).toHaveLength(3);
  now = 1_000;
  await send();
  expect(context.logged).toHaveLength(4);
});
