import { once } from 'node:events';
import { type IncomingMessage, request } from 'node:http';
import { backupPath, tokenHeader } from './backup-route.ts';
import type { RuntimeFile } from './runtime-file.ts';

/**
 * Asks the running process for a backup to the folder `to` and waits for its answer, for as long as it takes (fetch gives up after
 * five minutes). Undefined: nobody listens there, so that the process has died and another took over its number.
 */
export async function askRunning(
  running: RuntimeFile,
  to: string,
): Promise<{ status: number; text: string } | undefined> {
  const asking = request(new URL(backupPath, running.page), {
    method: 'POST',
    headers: { 'content-type': 'application/json', [tokenHeader]: running.token },
    agent: false,
  });
  asking.end(JSON.stringify({ to }));
  try {
    const [response] = (await once(asking, 'response')) as [IncomingMessage];
    let text = '';
    for await (const chunk of response.setEncoding('utf8')) text += chunk;
    return { status: response.statusCode ?? 0, text: text.trim() };
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ECONNREFUSED') return undefined;
    throw error;
  }
}
