import { expect, onTestFinished, test } from 'vitest';
import { settingsOf, testContext } from '../pipeline/testing/component-context.ts';
import { cpuProfileFactory } from './cpu-profile.ts';
import { healthCheckFactory } from './health-check.ts';

test('health_check answers 503 until all runs, and when the program stops', async () => {
  const settings = settingsOf('endpoint: localhost:0\npath: /health\n');
  const extension = healthCheckFactory.configure(settings).create(testContext());
  onTestFinished(() => extension.shutdown(0));
  await extension.start();
  const url = extension.addresses?.[0]?.address;
  const get = async (path: string) => {
    const response = await fetch(`${url}${path}`);
    return [response.status, (await response.text()).slice(0, 28)];
  };
  expect(await get('/health')).toEqual([503, '{"status":"Server not availa']);
  extension.onReady?.();
  expect(await get('/health')).toEqual([200, '{"status":"Server available"']);
  expect((await get('/other'))[0]).toBe(404);
  extension.onStopping?.();
  expect((await get('/health'))[0]).toBe(503);
});

test('pprof takes a CPU profile of the program, one at a time', async () => {
  const extension = cpuProfileFactory.configure(settingsOf('endpoint: localhost:0\n')).create(testContext());
  onTestFinished(() => extension.shutdown(0));
  await extension.start();
  const url = `${extension.addresses?.[0]?.address}/debug/pprof/profile`;
  const [first, second] = [fetch(`${url}?seconds=0.5`), fetch(`${url}?seconds=0.5`)];
  const answers = await Promise.all([first, second]);
  expect(answers.map(({ status }) => status).sort()).toEqual([200, 409]);
  const taken = answers.find(({ status }) => status === 200);
  expect(await taken?.json()).toMatchObject({ nodes: expect.any(Array), samples: expect.any(Array) });
  expect((await fetch(`${url}?seconds=9999`)).status).toBe(400);
});
