import type { Row } from '../product/report.ts';
import { load } from './load.ts';
import type { NodeProgram, Peers } from './peers.ts';
import { AppFolder, Service } from './service.ts';
import { median, quantile, Samples, verdict } from './statistics.ts';
import { autoInstrumentations, bare, ours } from './variants.ts';

const rate = 3_000;
const seconds = 10;
const memoryBudget = 50;
const latencyBudget = 5;

/** Memory and latency at 3,000 requests a second, a span and metrics each. */
export async function measureSteady({
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
  const variants = [bare, ours, ...autoInstrumentations(peers)];
  const [memory, middle, slow] = [new Samples(), new Samples(), new Samples()];
  using folder = new AppFolder(['fastify']);
  for (let round = 0; round < rounds; round += 1)
    for (const variant of variants) {
      using service = await Service.start(variant, ['fastify.cjs'], { node, folder, collector });
      const resident: number[] = [];
      for (let second = 0; second < seconds; second += 1) {
        const { latencyMillis } = await load(service.port, '/users/7', rate, rate);
        // Code is being compiled in the first seconds.
        if (second < 3) continue;
        middle.add(variant.name, quantile(latencyMillis, 0.5));
        slow.add(variant.name, quantile(latencyMillis, 0.99));
        resident.push(service.residentMegabytes());
      }
      memory.add(variant.name, median(resident));
    }
  return variants.map(({ name }) => {
    const megabytes = memory.median(name) - memory.median(bare.name);
    const latency = middle.median(name) - middle.median(bare.name);
    return {
      variant: name,
      'RSS, MB': memory.median(name),
      'added, MB': megabytes,
      'latency p50, ms': middle.median(name),
      'added, ms': latency,
      'latency p99, ms': slow.median(name),
      [`verdict on ${memoryBudget} MB, ${latencyBudget} ms`]:
        name === ours.name ? `${verdict(megabytes, memoryBudget)}, ${verdict(latency, latencyBudget)}` : '',
    };
  });
}
