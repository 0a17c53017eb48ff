import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort, hasProgram, PeerServer } from '../../testing/peer-server.ts';

const program = process.env.SIGNALBOX_TEMPORAL ?? 'temporal';

/** Temporal's own program, in which its development server is: SIGNALBOX_TEMPORAL says where, else it is looked for in PATH. */
export const hasTemporal = hasProgram(program);

/** A real server, whose workflows are still there when it comes back. */
export async function createTemporalServer(): Promise<PeerServer> {
  const folder = mkdtempSync(join(tmpdir(), 'signalbox-temporal-'));
  const port = await freePort();
  const file = join(folder, 'temporal.db');
  const command = [program, 'server', 'start-dev', '--headless', '--port', String(port)] as const;
  return new PeerServer(port, [...command, '--db-filename', file, '--log-level', 'error'], {
    folder,
    startMillis: 60_000,
    end: () => rmSync(folder, { recursive: true, force: true }),
  });
}
