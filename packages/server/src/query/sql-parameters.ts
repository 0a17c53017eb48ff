import type { QueryParameter } from '../store/connection.ts';

/** SQL text in which every value is a `{name:Type}` parameter, and the values. */
export interface Statement {
  readonly sql: string;
  readonly parameters: Readonly<Record<string, QueryParameter>>;
}

/**
 * Collects the values of a statement under construction. Each method keeps a value and gives the placeholder that stands
 * for it in SQL: planners put placeholders and their own words into SQL text, never a value.
 */
export class SqlParameters {
  readonly #values: Record<string, QueryParameter>;
  readonly #placeholders: Map<string, string>;

  /** @param base whose values it begins with, so that SQL made with them can be part of the statement */
  constructor(base?: SqlParameters) {
    this.#values = base === undefined ? {} : { ...base.#values };
    this.#placeholders = new Map(base === undefined ? [] : base.#placeholders);
  }

  string(value: string): string {
    return this.#add('String', value);
  }

  strings(values: readonly string[]): string {
    return this.#add('Array(String)', values);
  }

  int64(value: number | bigint): string {
    return this.#add('Int64', value);
  }

  uint32(value: number): string {
    return this.#add('UInt32', value);
  }

  uint64s(values: readonly (bigint | string)[]): string {
    return this.#add('Array(UInt64)', values.map(BigInt));
  }

  uint64(value: bigint | string): string {
    return this.#add('UInt64', BigInt(value));
  }

  float64(value: number): string {
    return this.#add('Float64', value);
  }

  /** An instant in nanoseconds since 1970 as `DateTime64(9, 'UTC')`. */
  nanoTime(value: bigint): string {
    return `fromUnixTimestamp64Nano(${this.int64(value)}, 'UTC')`;
  }

  /** An instant in seconds since 1970 as `DateTime('UTC')`, which ends in 2106. */
  secondTime(value: bigint): string {
    const seconds = value < 0n ? 0n : value > 4_294_967_295n ? 4_294_967_295n : value;
    return `toDateTime(${this.#add('UInt32', Number(seconds))}, 'UTC')`;
  }

  /** Bytes given as hex digits, as `FixedString(length)`. */
  fixedBytes(hex: string, length: 8 | 16): string {
    return `toFixedString(unhex(${this.string(hex)}), ${length})`;
  }

  /** With the values that the SQL has placeholders for: of what was collected, some may not be part of it after all. */
  statement(sql: string): Statement {
    const used = Object.entries(this.#values).filter(([name]) => sql.includes(`{${name}:`));
    return { sql, parameters: Object.fromEntries(used) };
  }

  #add(type: string, value: QueryParameter): string {
    const identity = `${type} ${JSON.stringify(value, (_, part) => (typeof part === 'bigint' ? `${part}n` : part))}`;
    let placeholder = this.#placeholders.get(identity);
    if (placeholder === undefined) {
      const name = `p${this.#placeholders.size}`;
      placeholder = `{${name}:${type}}`;
      this.#placeholders.set(identity, placeholder);
      this.#values[name] = value;
    }
    return placeholder;
  }
}
