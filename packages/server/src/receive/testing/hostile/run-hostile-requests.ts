import { hostileGrpcRequest } from './hostile-grpc.ts';
import { hostileHttpRequest } from './hostile-http.ts';
import type { HostileRequest, HostileTarget } from './hostile-target.ts';
import { SeededRandom } from './seeded-random.ts';

export interface HostileRun {
  readonly target: HostileTarget;
  /** The same seed makes the same requests. */
  readonly seed: number;
  readonly count: number;
  /** Requests under way at once. */
  readonly concurrency: number;
}

export interface HostileReport {
  readonly sent: number;
  /** Requests sent, by what was wrong with them. */
  readonly byKind: ReadonlyMap<string, number>;
  /** What the target did that no protocol allows. `index` and the seed bring the request back. */
  readonly complaints: readonly { index: number; kind: string; complaint: string }[];
}

/**
 * Sends `count` hostile requests over both transports and reports every answer that is not as the protocol says. It
 * goes on after a complaint; that the target has died shows as complaints from there on.
 */
export async function runHostileRequests({ target, seed, count, concurrency }: HostileRun): Promise<HostileReport> {
  const byKind = new Map<string, number>();
  const complaints: { index: number; kind: string; complaint: string }[] = [];
  let next = 0;
  const sendOne = async () => {
    for (let index = next++; index < count; index = next++) {
      const hostile = hostileRequest(seed, index, target);
      byKind.set(hostile.kind, (byKind.get(hostile.kind) ?? 0) + 1);
      const complaint = await hostile.send(target).catch((error: Error) => error.message);
      if (complaint !== null) {
        complaints.push({ index, kind: hostile.kind, complaint });
      }
    }
  };
  await Promise.all(Array.from({ length: concurrency }, sendOne));
  return { sent: count, byKind, complaints };
}

/** The request at `index` of a run, independent of those before it. */
export function hostileRequest(seed: number, index: number, target: HostileTarget): HostileRequest {
  const random = new SeededRandom(Math.imul(seed, 0x9e3779b1) + index);
  return random.next() < 0.6 ? hostileHttpRequest(random, target) : hostileGrpcRequest(random, target);
}
