import type { AnyValueMap } from '@opentelemetry/api-logs';

/** As much of a pino logger as is public. */
export interface PinoLogger {
  readonly levels: { readonly labels: Readonly<Record<number, string>> };
  bindings(): Record<string, unknown>;
}

/** One field of a line. `isError`: the application logged an `Error` there. */
export interface PinoField {
  readonly key: string;
  readonly value: unknown;
  readonly isError: boolean;
}

type Serializer = (value: unknown) => unknown;

const symbolNames = [
  'chindings',
  'serializers',
  'stringifiers',
  'formatters',
  'errorKey',
  'messageKey',
  'lsCache',
] as const;
type SymbolName = (typeof symbolNames)[number];

/**
 * Reads what pino keeps under symbols (`pino.chindings`, `pino.serializers`, …), whose descriptions have been the same
 * since version 5. Serializers, redaction and the `log` formatter must be applied here as pino applies them to its own
 * line: what an application hides from its log must not leave through OTLP.
 */
export class PinoInternals {
  readonly #symbols = new Map<SymbolName, symbol>();
  readonly #bindings = new WeakMap<object, { readonly text: unknown; readonly bindings: AnyValueMap }>();
  readonly #levelNames = new WeakMap<object, Map<number, string>>();

  /** Appends `,"key":value…` to the bindings of this logger until the returned function is called. */
  appendBindings(instance: PinoLogger, json: string): (() => void) | undefined {
    const symbol = this.#symbol(instance, 'chindings');
    const text = symbol && Reflect.get(instance, symbol);
    if (symbol === undefined || typeof text !== 'string') return undefined;
    const own = Object.hasOwn(instance, symbol);
    Reflect.set(instance, symbol, text + json);
    return () => {
      if (own) Reflect.set(instance, symbol, text);
      else Reflect.deleteProperty(instance, symbol);
    };
  }

  /** The logger's bindings, parsed once per logger and not once per line. */
  bindings(instance: PinoLogger): AnyValueMap {
    const symbol = this.#symbol(instance, 'chindings');
    const text: unknown = symbol && Reflect.get(instance, symbol);
    const known = this.#bindings.get(instance);
    if (known !== undefined && known.text === text) return known.bindings;
    const bindings = instance.bindings() as AnyValueMap;
    this.#bindings.set(instance, { text, bindings });
    return bindings;
  }

  /** The message after the serializer and redaction that its key may have. */
  message(instance: PinoLogger, message: unknown): unknown {
    const key = this.#read(instance, 'messageKey');
    return typeof key === 'string' ? this.#printed(instance, key, message) : message;
  }

  /** The fields of the merged object as pino would print them. */
  fields(instance: PinoLogger, merged: unknown): PinoField[] {
    if (typeof merged !== 'object' || merged === null) return [];
    const format = this.#get(instance, 'formatters', 'log');
    const object: unknown = typeof format === 'function' ? (format as Serializer)(merged) : merged;
    if (typeof object !== 'object' || object === null) return [];
    return Object.entries(object).map(([key, raw]) => ({
      key,
      value: this.#printed(instance, key, raw),
      isError: raw instanceof Error,
    }));
  }

  /** The level as the application's own line spells it (`info`, or `INFO` with a `level` formatter). */
  levelName(instance: PinoLogger, level: number): string {
    const cache: unknown = this.#read(instance, 'lsCache');
    const owner = typeof cache === 'object' && cache !== null ? cache : instance.levels;
    let names = this.#levelNames.get(owner);
    if (names === undefined) {
      names = new Map();
      this.#levelNames.set(owner, names);
    }
    let name = names.get(level);
    if (name === undefined) {
      const prefix: unknown = owner === cache ? Reflect.get(owner, level) : undefined;
      const printed =
        typeof prefix === 'string'
          ? Object.values(parsedObject(`${prefix}}`)).find((value) => typeof value === 'string')
          : undefined;
      name = typeof printed === 'string' ? printed : (instance.levels.labels[level] ?? String(level));
      names.set(level, name);
    }
    return name;
  }

  #printed(instance: PinoLogger, key: string, raw: unknown): unknown {
    const errorSerializer =
      key === this.#read(instance, 'errorKey') ? this.#get(instance, 'serializers', 'err') : undefined;
    const serializer = this.#get(instance, 'serializers', key) ?? errorSerializer;
    const value = typeof serializer === 'function' ? (serializer as Serializer)(raw) : raw;
    const stringifier = this.#get(instance, 'stringifiers', key) ?? this.#wildcardStringifier(instance);
    // Only redacted keys have one; it censors and stringifies in one step.
    return typeof stringifier === 'function' ? parsed((stringifier as Serializer)(value)) : value;
  }

  #wildcardStringifier(instance: PinoLogger): unknown {
    const stringifiers = this.#read(instance, 'stringifiers');
    if (typeof stringifiers !== 'object' || stringifiers === null) return undefined;
    const symbol = Object.getOwnPropertySymbols(stringifiers).find(
      ({ description }) => description === 'pino.wildcardFirst',
    );
    return symbol && Reflect.get(stringifiers, symbol);
  }

  #get(instance: PinoLogger, name: SymbolName, key: string): unknown {
    const holder = this.#read(instance, name);
    return typeof holder === 'object' && holder !== null && key in holder ? Reflect.get(holder, key) : undefined;
  }

  #read(instance: PinoLogger, name: SymbolName): unknown {
    const symbol = this.#symbol(instance, name);
    return symbol && Reflect.get(instance, symbol);
  }

  #symbol(instance: PinoLogger, name: SymbolName): symbol | undefined {
    const known = this.#symbols.get(name);
    // Two copies of pino have different symbols.
    if (known !== undefined && known in instance) return known;
    for (let object: object | null = instance; object !== null; object = Object.getPrototypeOf(object)) {
      const found = Object.getOwnPropertySymbols(object).find((symbol) => symbol.description === `pino.${name}`);
      if (found !== undefined) {
        this.#symbols.set(name, found);
        return found;
      }
    }
    return undefined;
  }
}

function parsed(json: unknown): unknown {
  if (typeof json !== 'string') return json;
  try {
    return JSON.parse(json);
  } catch {
    return json;
  }
}

function parsedObject(json: string): object {
  const value = parsed(json);
  return typeof value === 'object' && value !== null ? value : {};
}
