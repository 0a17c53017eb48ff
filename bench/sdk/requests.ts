import type { Row } from '../product/report.ts';
import { load } from './load.ts';
import type { NodeProgram, Peers } from './peers.ts';
import { AppFolder, Service } from './service.ts';
import { Samples, verdict } from './statistics.ts';
import { autoInstrumentations, bare, nodeSdk, ours, unsampled, type Variant } from './variants.ts';

/** A service, and what each request to it may cost more with us. */
interface RequestCase {
  readonly name: string;
  readonly app: readonly string[];
  readonly packages: readonly string[];
  readonly path: string;
  /** Microseconds of CPU by variant. */
  readonly budgets: Readonly<Record<string, number>>;
}

const cases: Readonly<Record<string, RequestCase>> = {
  http: {
    name: 'node:http, traces and metrics',
    app: ['http.cjs'],
    packages: [],
    path: '/',
    budgets: { [ours.name]: 10, [unsampled.name]: 4 },
  },
  fastify: {
    name: 'Fastify with route',
    app: ['fastify.cjs'],
    packages: ['fastify'],
    path: '/users/7',
    budgets: { [ours.name]: 10 },
  },
  pino: {
    name: 'Fastify with two pino lines',
    app: ['fastify.cjs', 'pino'],
    packages: ['fastify'],
    path: '/users/7',
    budgets: { [ours.name]: 22 },
  },
};

export const requestCases = Object.keys(cases);

/** Until the code is warm: as many for each variant, since a time would warm less on a busy machine. */
const warming = 20_000;
const burst = 1_000;
/** A busy machine has time for fewer rounds. */
const limitMillis = 150_000;

/** CPU of the service per request. All variants run at the same time and are loaded in turns, burst by burst. */
export async function measureRequests(
  name: string,
  { peers, node, collector, rounds }: { peers: Peers; node: NodeProgram; collector: string; rounds: number },
): Promise<Row[]> {
  const wanted = cases[name];
  if (wanted === undefined) throw new Error(`there is no service ${name}`);
  const variants = [
    bare,
    ours,
    ...(unsampled.name in wanted.budgets ? [unsampled] : []),
    ...autoInstrumentations(peers),
    ...nodeSdk(peers),
  ];
  const samples = new Samples();
  using folder = new AppFolder(wanted.packages);
  const services: [Variant, Service][] = [];
  const deadline = Date.now() + limitMillis;
  try {
    for (const variant of variants) {
      const service = await Service.start(variant, wanted.app, { node, folder, collector });
      services.push([variant, service]);
      await load(service.port, wanted.path, warming);
    }
    for (let round = 0; round < rounds && (round === 0 || Date.now() < deadline); round += 1)
      for (const [variant, service] of services) {
        const before = await service.cpuMicros();
        const { answered } = await load(service.port, wanted.path, burst);
        samples.add(variant.name, ((await service.cpuMicros()) - before) / answered);
      }
  } finally {
    for (const [, service] of services) service.stop();
  }
  const base = samples.median(bare.name);
  const stock = autoInstrumentations(peers)[0]?.name;
  return variants.map(({ name: variant }) => {
    const micros = samples.median(variant);
    const budget = wanted.budgets[variant];
    return {
      service: wanted.name,
      variant,
      rounds: samples.of(variant).length,
      'CPU µs per request': micros,
      'added, µs': micros - base,
      'of what stock adds': stock === undefined ? '' : ((micros - base) / (samples.median(stock) - base)).toFixed(2),
      'budget, µs': budget ?? '',
      verdict: budget === undefined ? '' : verdict(micros - base, budget),
    };
  });
}
