// The stand-in as a program: `node dist/main.js`. Settings come from the environment; SIGTERM or SIGINT ends it.
import { startStandIn } from './stand-in.ts';

function number(name: string, fallback: number): number {
  const text = process.env[name];
  if (text === undefined || text === '') return fallback;
  const value = Number(text);
  if (!Number.isFinite(value) || value < 0) {
    console.error(`${name} is a number, 0 or more; got "${text}".`);
    process.exit(2);
  }
  return value;
}

const standIn = await startStandIn({
  repository: process.env.STAND_IN_REPOSITORY ?? 'atvirokodosprendimai/wgmesh',
  host: process.env.STAND_IN_HOST ?? '127.0.0.1',
  port: number('STAND_IN_PORT', 4330),
  seed: number('STAND_IN_SEED', 1),
  size: number('STAND_IN_SIZE', 90),
  limit: {
    withToken: number('STAND_IN_LIMIT', 5000),
    withoutToken: number('STAND_IN_ANONYMOUS_LIMIT', 60),
    windowSeconds: number('STAND_IN_WINDOW_SECONDS', 3600),
  },
  behaviour: {
    latencyMs: number('STAND_IN_LATENCY_MS', 60),
    latencySpread: number('STAND_IN_LATENCY_SPREAD', 0.5),
    slowRate: number('STAND_IN_SLOW_RATE', 0.01),
    slowMs: number('STAND_IN_SLOW_MS', 1500),
    errorRate: number('STAND_IN_ERROR_RATE', 0.01),
    resetRate: number('STAND_IN_RESET_RATE', 0),
    secondaryLimitRate: number('STAND_IN_SECONDARY_LIMIT_RATE', 0),
    changeEverySeconds: number('STAND_IN_CHANGE_EVERY_SECONDS', 30),
  },
});
console.log(`GitHub stand-in on ${standIn.url}`);

for (const signal of ['SIGTERM', 'SIGINT'] as const) {
  process.once(signal, () => {
    standIn.close().then(
      () => process.exit(0),
      () => process.exit(1),
    );
  });
}
