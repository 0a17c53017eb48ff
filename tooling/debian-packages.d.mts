export interface NeededProgram {
  readonly program: string;
  readonly debianPackage: string;
  readonly neededFor: string;
}

export function findProgram(name: string): string | null;
export function ensurePrograms(packages: readonly NeededProgram[], log?: (line: string) => void): NeededProgram[];
export function describeMissing(missing: readonly NeededProgram[]): string;
