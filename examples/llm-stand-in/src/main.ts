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
  host: process.env.STAND_IN_HOST ?? '127.0.0.1',
  port: number('STAND_IN_PORT', 4340),
  latencyMs: number('STAND_IN_LATENCY_MS', 150),
  limitEvery: number('STAND_IN_LIMIT_EVERY', 0),
});
console.log(`LLM stand-in on ${standIn.url}`);

for (const signal of ['SIGTERM', 'SIGINT'] as const) {
  process.once(signal, () => {
    standIn.close().then(
      () => process.exit(0),
      () => process.exit(1),
    );
  });
}
