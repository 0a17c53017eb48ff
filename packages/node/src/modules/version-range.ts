/** Versions from `from` (inclusive) to `below` (exclusive); each is a number of dotted parts, `4` or `4.17.1`. */
export interface VersionRange {
  readonly from?: string;
  readonly below?: string;
}

/** Whether a version lies in the range; a pre-release counts as what it leads to. */
export function isInRange(version: string, { from, below }: VersionRange): boolean {
  return (from === undefined || compare(version, from) >= 0) && (below === undefined || compare(version, below) < 0);
}

function compare(left: string, right: string): number {
  const [a, b] = [parts(left), parts(right)];
  for (let index = 0; index < 3; index += 1) {
    const difference = (a[index] ?? 0) - (b[index] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}

function parts(version: string): number[] {
  return version
    .replace(/[-+].*$/, '')
    .split('.')
    .map((part) => Number.parseInt(part, 10) || 0);
}
