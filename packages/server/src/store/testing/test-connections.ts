import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { HttpFront } from '../clickhouse/testing/http-front.ts';
import type { ConnectionOptions } from '../open-connection.ts';

/** A way to connect that the conformance suite runs on. */
export interface TestTarget {
  /** For `openConnection` and `openStore`; may be opened again after it was closed, over the same data. */
  readonly options: ConnectionOptions;
  dispose(): Promise<void>;
}

/** Every way to connect. One at a time: a process can have one embedded engine. */
export const TEST_TARGETS: readonly (readonly [name: string, make: () => Promise<TestTarget>])[] = [
  [
    'embedded',
    async () => {
      const folder = await mkdtemp(join(tmpdir(), 'signalbox-store-'));
      return { options: { kind: 'embedded', folder }, dispose: () => rm(folder, { recursive: true, force: true }) };
    },
  ],
  [
    'http',
    async () => {
      const folder = await mkdtemp(join(tmpdir(), 'signalbox-front-'));
      const front = await HttpFront.start(folder);
      return {
        options: { kind: 'http', url: front.url },
        async dispose() {
          await front.stop();
          await rm(folder, { recursive: true, force: true });
        },
      };
    },
  ],
];
