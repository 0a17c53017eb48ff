import { setTimeout as pause } from 'node:timers/promises';
import type { Row } from '../product/report.ts';
import type { NodeProgram, Peers } from './peers.ts';
import { AppFolder, Service } from './service.ts';
import { Samples, verdict } from './statistics.ts';
import { autoInstrumentations, bare, nodeSdk, ours, oursRequired } from './variants.ts';

const idleMillis = 700;
const memoryBudget = 15;
const cases = [
  { name: 'node:http', app: ['http.cjs'], packages: [], budget: 30 },
  { name: 'ES modules with Hono', app: ['hono.mjs'], packages: ['hono'], budget: 80 },
] as const;

/** Time, CPU and memory until a service listens. */
export async function measureStartUp({
  peers,
  node,
  collector,
  rounds,
}: {
  peers: Peers;
  node: NodeProgram;
  collector: string;
  rounds: number;
}): Promise<Row[]> {
  const rows: Row[] = [];
  for (const { name, app, packages, budget } of cases) {
    const isEsm = packages.length > 0;
    const variants = [bare, ours, ...(isEsm ? [] : [oursRequired]), ...autoInstrumentations(peers), ...nodeSdk(peers)];
    const [ready, cpu, memory] = [new Samples(), new Samples(), new Samples()];
    using folder = new AppFolder(packages);
    for (let round = 0; round < rounds; round += 1)
      for (const variant of variants) {
        using service = await Service.start(variant, app, { node, folder, collector });
        ready.add(variant.name, service.readyMillis);
        cpu.add(variant.name, (await service.cpuMicros()) / 1000);
        await pause(idleMillis);
        memory.add(variant.name, service.residentMegabytes());
      }
    for (const { name: variant } of variants) {
      const added = ready.least(variant) - ready.least(bare.name);
      const megabytes = memory.median(variant) - memory.median(bare.name);
      const isOurs = variant.startsWith(ours.name);
      rows.push({
        service: name,
        variant,
        'ready, least, ms': ready.least(variant),
        'added, ms': added,
        'CPU until ready, median, ms': cpu.median(variant),
        'CPU added, ms': cpu.median(variant) - cpu.median(bare.name),
        'idle RSS, MB': memory.median(variant),
        'RSS added, MB': megabytes,
        'budget, ms and MB': isOurs ? `${budget}, ${memoryBudget}` : '',
        verdict: isOurs ? `${verdict(added, budget)}, ${verdict(megabytes, memoryBudget)}` : '',
      });
    }
  }
  return rows;
}
