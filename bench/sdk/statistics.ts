/** Every run of every variant, taken in turns, so that whatever else the machine does is shared out evenly. */
export class Samples {
  readonly #values = new Map<string, number[]>();

  add(variant: string, value: number): void {
    this.#values.set(variant, [...this.of(variant), value]);
  }

  of(variant: string): readonly number[] {
    return this.#values.get(variant) ?? [];
  }

  median(variant: string): number {
    return median(this.of(variant));
  }

  /** For times: other work of the machine only ever adds to them. */
  least(variant: string): number {
    return Math.min(...this.of(variant));
  }
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((one, other) => one - other);
  const upper = sorted[sorted.length >> 1] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : (upper + (sorted[(sorted.length >> 1) - 1] ?? Number.NaN)) / 2;
}

/** Of values in ascending order. */
export function quantile(ascending: readonly number[], share: number): number {
  return ascending[Math.min(ascending.length - 1, Math.floor(ascending.length * share))] ?? Number.NaN;
}

/** Whether what was measured keeps to its budget, in words. */
export function verdict(value: number, budget: number): string {
  return value <= budget ? 'kept' : `missed by ${(((value - budget) / budget) * 100).toFixed(0)} %`;
}
