import { readFileSync } from 'node:fs';

/** What Linux says of a process. */
export interface ProcessUsage {
  /** Processor time of all threads. */
  cpuSeconds: number;
  rssBytes: number;
  peakRssBytes: number;
}

/** USER_HZ, which is 100 on every Linux that Node runs on. */
const ticksPerSecond = 100;

export function processUsage(pid: number): ProcessUsage {
  // The second field is the command in parentheses and may hold anything.
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  const kilobytes = (name: string) => Number(new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(status)?.[1]) * 1024;
  return {
    cpuSeconds: (Number(fields[11]) + Number(fields[12])) / ticksPerSecond,
    rssBytes: kilobytes('VmRSS'),
    peakRssBytes: kilobytes('VmHWM'),
  };
}

/** Waits until the process has used less than a tenth of a core for two seconds: its merges are done. */
export async function processIdle(pid: number, timeoutMs = 120_000): Promise<void> {
  const deadline = Date.now() + timeoutMs;
  let quiet = 0;
  let before = processUsage(pid).cpuSeconds;
  while (quiet < 4 && Date.now() < deadline) {
    await new Promise((resolve) => setTimeout(resolve, 500));
    const now = processUsage(pid).cpuSeconds;
    quiet = now - before <= 0.05 ? quiet + 1 : 0;
    before = now;
  }
}
