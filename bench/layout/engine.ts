import { Session } from 'chdb';

/** One embedded engine over `folder`; only one at a time in a process. */
export function openEngine(folder: string): Session {
  const session = new Session(folder);
  // Repeated queries must not be answered from the cache of which granules matched.
  session.query("SET use_query_condition_cache = 0, fsync_metadata = 1, session_timezone = 'UTC'");
  return session;
}

export function rowsOf(session: Session, sql: string): unknown[][] {
  const text = session.query(sql, 'JSONCompact');
  return (JSON.parse(text) as { data: unknown[][] }).data;
}

export function numberOf(session: Session, sql: string): number {
  return Number(rowsOf(session, sql)[0]?.[0]);
}

/** CPU-seconds this process has used in all its threads, the engine's merges included. */
export function cpuSeconds(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6;
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}

/** Waits until no merge has run for a second. */
export async function mergesIdle(session: Session): Promise<void> {
  let quiet = 0;
  while (quiet < 5) {
    quiet = numberOf(session, 'SELECT count() FROM system.merges') === 0 ? quiet + 1 : 0;
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
}
