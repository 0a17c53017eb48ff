import { setTimeout as pause } from 'node:timers/promises';
import { type Row, report } from '../product/report.ts';
import { load } from './load.ts';
import { AppFolder, Service, startCollector } from './service.ts';
import { median, verdict } from './statistics.ts';
import { ours } from './variants.ts';

const readings = 24;
/** Code and caches grow until then. */
const warmReadings = readings / 4;
const heapBudget = 2;
const residentBudget = 8;

/**
 * Holds a service with traces, metrics and logs under load for `minutes`, and compares its memory after the warm-up with its
 * memory at the end: the heap behind a garbage collection, in which a leak shows, and what the process occupies.
 */
export async function soak({ minutes, rate }: { minutes: number; rate: number }): Promise<void> {
  using collector = await startCollector();
  using folder = new AppFolder(['fastify']);
  const node = { name: `Node ${process.versions.node}`, path: process.execPath };
  // V8 lets its young generation grow to some 100 MB and shrinks it now and then: that would hide what a leak occupies.
  const variant = { ...ours, nodeArguments: ['--expose-gc', '--max-semi-space-size=4', ...ours.nodeArguments] };
  using service = await Service.start(variant, ['fastify.cjs', 'pino'], { node, folder, collector: collector.url });
  const started = Date.now();
  const heap: number[] = [];
  const resident: number[] = [];
  let requests = 0;
  for (let reading = 1; reading <= readings; reading += 1) {
    const until = started + (reading * minutes * 60_000) / readings;
    while (Date.now() < until) {
      // Another user for each, whom neither names nor series may remember.
      requests += (await load(service.port, `/users/${requests}`, rate, rate)).answered;
      await pause(1);
    }
    heap.push(await service.heapMegabytes());
    resident.push(service.residentMegabytes());
    console.log(
      `${Math.round((Date.now() - started) / 1000)} s: ${requests} requests, heap ${heap.at(-1)?.toFixed(2)} MB, resident ${resident.at(-1)?.toFixed(1)} MB`,
    );
  }
  const row = (what: string, values: readonly number[], budget: number): Row => {
    const warm = median(values.slice(warmReadings, 2 * warmReadings));
    const last = median(values.slice(-warmReadings));
    return {
      memory: what,
      'second quarter, MB': warm,
      'last quarter, MB': last,
      'growth, MB': last - warm,
      'budget, MB': budget,
      verdict: last <= warm ? 'kept' : verdict(last - warm, budget),
    };
  };
  report(`soak-${minutes}-minutes`, [
    row(`heap after a collection, ${requests} requests`, heap, heapBudget),
    row('resident', resident, residentBudget),
  ]);
}
