import { setTimeout as sleep } from 'node:timers/promises';
import type { App } from './child.ts';

/**
 * Asks an application that serves HTTP while what it depends on is there, while it is away, and when it is back; resolves
 * with the three statuses. `signal` is how the server is ended.
 */
export async function outage(
  app: App,
  server: { start(): Promise<unknown>; stop(signal: NodeJS.Signals): Promise<void> },
  signal: NodeJS.Signals = 'SIGKILL',
): Promise<readonly number[]> {
  const port = await app.port();
  const ask = async (): Promise<number> => {
    const response = await fetch(`http://127.0.0.1:${port}/`, { signal: AbortSignal.timeout(15_000) });
    await response.arrayBuffer();
    return response.status;
  };
  const statuses = [await ask()];
  await server.stop(signal);
  statuses.push(await ask());
  await server.start();
  let last = await ask();
  for (const deadline = Date.now() + 60_000; last !== 200 && Date.now() < deadline; last = await ask()) await sleep(50);
  return [...statuses, last];
}
