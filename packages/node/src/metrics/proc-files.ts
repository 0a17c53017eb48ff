import { readdirSync, readFileSync } from 'node:fs';

/**
 * The kernel's own figures, as https://man7.org/linux/man-pages/man5/proc.5.html describes the files. Everything here is
 * undefined or empty where there is no such file: on other systems, and in sandboxes that hide it.
 */

/** `USER_HZ`: ticks a second in /proc/stat, the same on every architecture that Node runs on. */
const ticksPerSecond = 100;
const sectorBytes = 512;

export interface ProcessStatus {
  /** Bytes of address space. */
  readonly virtualBytes: number | undefined;
  readonly threads: number | undefined;
}

/** /proc/self/status */
export function parseProcessStatus(text: string): ProcessStatus {
  const kibibytes = numberAfter(text, 'VmSize');
  return {
    virtualBytes: kibibytes === undefined ? undefined : kibibytes * 1024,
    threads: numberAfter(text, 'Threads'),
  };
}

export const cpuModes = ['user', 'nice', 'system', 'idle', 'iowait', 'interrupt', 'steal'] as const;
export type CpuMode = (typeof cpuModes)[number];

/** /proc/stat: seconds of all processors together by what they did. `interrupt` is hard and soft interrupts. */
export function parseCpuTimes(text: string): Readonly<Record<CpuMode, number>> | undefined {
  const match = /^cpu +(.*)$/m.exec(text);
  if (match === null) return undefined;
  const ticks = (match[1] ?? '').split(' ').map(Number);
  const [user = 0, nice = 0, system = 0, idle = 0, iowait = 0, irq = 0, softirq = 0, steal = 0] = ticks;
  const seconds = (count: number): number => count / ticksPerSecond;
  return {
    user: seconds(user),
    nice: seconds(nice),
    system: seconds(system),
    idle: seconds(idle),
    iowait: seconds(iowait),
    interrupt: seconds(irq + softirq),
    steal: seconds(steal),
  };
}

export interface Memory {
  readonly total: number;
  readonly available: number;
  readonly free: number;
  readonly buffers: number;
  /** Page cache and what of the kernel's own memory can be reclaimed, as `free` counts it. */
  readonly cached: number;
  readonly used: number;
}

/** /proc/meminfo, in bytes. */
export function parseMemory(text: string): Memory | undefined {
  const bytes = (name: string): number => (numberAfter(text, name) ?? 0) * 1024;
  const total = bytes('MemTotal');
  if (total === 0) return undefined;
  const [free, buffers] = [bytes('MemFree'), bytes('Buffers')];
  const cached = bytes('Cached') + bytes('SReclaimable');
  const used = Math.max(0, total - free - buffers - cached);
  return { total, available: bytes('MemAvailable'), free, buffers, cached, used };
}

export interface InterfaceTraffic {
  readonly name: string;
  readonly received: number;
  readonly transmitted: number;
}

/** /proc/net/dev, in bytes since the interface came up. */
export function parseInterfaces(text: string): readonly InterfaceTraffic[] {
  return text.split('\n').flatMap((line) => {
    const match = /^\s*([^\s:]+):\s*(\d[\d\s]*)$/.exec(line);
    if (match === null) return [];
    const [, name = '', figures = ''] = match;
    const columns = figures.trim().split(/\s+/).map(Number);
    return [{ name, received: columns[0] ?? 0, transmitted: columns[8] ?? 0 }];
  });
}

export interface DiskTraffic {
  readonly device: string;
  readonly reads: number;
  readonly readBytes: number;
  readonly writes: number;
  readonly writtenBytes: number;
}

/** /proc/diskstats, of the devices that `isWhole` says are disks rather than partitions of one, or no disks at all. */
export function parseDisks(text: string, isWhole: (device: string) => boolean): readonly DiskTraffic[] {
  return text.split('\n').flatMap((line) => {
    const [, , device = '', reads, , sectorsRead, , writes, , sectorsWritten] = line.trim().split(/\s+/);
    if (device === '' || /^(?:loop|ram|zram)\d/.test(device) || !isWhole(device)) return [];
    return [
      {
        device,
        reads: Number(reads),
        readBytes: Number(sectorsRead) * sectorBytes,
        writes: Number(writes),
        writtenBytes: Number(sectorsWritten) * sectorBytes,
      },
    ];
  });
}

export function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    // Not on this system, or not for this process.
    return '';
  }
}

export function readNames(folder: string): readonly string[] {
  try {
    return readdirSync(folder);
  } catch {
    // As above.
    return [];
  }
}

/** `Name:   123 kB` → 123 */
function numberAfter(text: string, name: string): number | undefined {
  const match = new RegExp(`^${name}:\\s*(\\d+)`, 'm').exec(text);
  return match === null ? undefined : Number(match[1]);
}
