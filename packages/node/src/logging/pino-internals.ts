import type { AnyValueMap } from '@opentelemetry/api-logs';

/** As much of a pino logger as is public. */
export interface PinoLogger {
  readonly levels: { readonly labels: Readonly<Record<number, string>> };
  bindings(): Record<string, unknown>;
}

/** Gets one field of a line. `isError`: the application logged an `Error` there. */
export type UseField = (key: string, value: unknown, isError: boolean) => void;

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

/** On loggers: what their bindings were when they were last asked for. Children find their parent's here. */
const bindingsKey = Symbol('@signalbox/node bindings');

interface KnownBindings {
  readonly text: string;
  readonly bindings: AnyValueMap;
}

/** What decides how a logger prints values. */
interface Printing {
  readonly errorKey: unknown;
  readonly serializers: Readonly<Record<string, unknown>>;
  readonly stringifiers: Readonly<Record<string, unknown>>;
  /** Of redaction by wildcard. */
  readonly anyStringifier: unknown;
}

const nothing: Readonly<Record<string, unknown>> = Object.freeze(Object.create(null));

/**
 * Reads what pino keeps under symbols (`pino.chindings`, `pino.serializers`, …), whose descriptions have been the same
 * since version 5. Serializers, redaction and the `log` formatter must be applied here as pino applies them to its own
 * line: what an application hides from its log must not leave through OTLP.
 */
export class PinoInternals {
  readonly #symbols = new Map<SymbolName, symbol>();
  readonly #wildcards = new WeakMap<object, symbol | null>();
  readonly #levelNames = new WeakMap<object, Map<number, string>>();

  /** Appends `,"key":value…` to the bindings of this logger until the returned function is called. */
  appendBindings(instance: PinoLogger, json: string): (() => void) | undefined {
    const symbol = this.#symbol(instance, 'chindings');
    if (symbol === undefined) return undefined;
    const logger = instance as unknown as Record<symbol, unknown>;
    const text = logger[symbol];
    if (typeof text !== 'string') return undefined;
    const own = Object.hasOwn(instance, symbol);
    logger[symbol] = text + json;
    return () => {
      if (own) logger[symbol] = text;
      else delete logger[symbol];
    };
  }

  /**
   * The logger's bindings without `pid` and `hostname`, which the resource says. They are read from their text once, and of a
   * child, as frameworks make one for each request, only what it adds to its parent's.
   */
  bindings(instance: PinoLogger): AnyValueMap {
    const text = this.#read(instance, 'chindings');
    if (typeof text !== 'string') return instance.bindings() as AnyValueMap;
    const known = (instance as { readonly [bindingsKey]?: KnownBindings })[bindingsKey];
    if (known?.text === text) return known.bindings;
    const isLonger = known !== undefined && text.startsWith(',', known.text.length) && text.startsWith(known.text);
    const added = parsedObject(`{${text.slice(isLonger ? known.text.length + 1 : 1)}}`) as AnyValueMap;
    if (added.pid !== undefined) delete added.pid;
    if (added.hostname !== undefined) delete added.hostname;
    const bindings = isLonger ? { ...known.bindings, ...added } : added;
    Reflect.set(instance, bindingsKey, { text, bindings } satisfies KnownBindings);
    return bindings;
  }

  /** The message after the serializer and redaction that its key may have. */
  message(instance: PinoLogger, message: unknown): unknown {
    const key = this.#read(instance, 'messageKey');
    return typeof key === 'string' ? printed(this.#printing(instance), key, message) : message;
  }

  /** The fields of the merged object as pino would print them. */
  eachField(instance: PinoLogger, merged: unknown, use: UseField): void {
    if (typeof merged !== 'object' || merged === null) return;
    const format = this.#recordAt(instance, 'formatters').log;
    const object: unknown = typeof format === 'function' ? (format as Serializer)(merged) : merged;
    if (typeof object !== 'object' || object === null) return;
    const printing = this.#printing(instance);
    for (const key of Object.keys(object)) {
      const raw = (object as Readonly<Record<string, unknown>>)[key];
      use(key, printed(printing, key, raw), raw instanceof Error);
    }
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

  #printing(instance: PinoLogger): Printing {
    const stringifiers = this.#recordAt(instance, 'stringifiers');
    const wildcard = this.#wildcardOf(stringifiers);
    return {
      errorKey: this.#read(instance, 'errorKey'),
      serializers: this.#recordAt(instance, 'serializers'),
      stringifiers,
      anyStringifier: wildcard && (stringifiers as Readonly<Record<symbol, unknown>>)[wildcard],
    };
  }

  #wildcardOf(stringifiers: object): symbol | undefined {
    let symbol = this.#wildcards.get(stringifiers);
    if (symbol === undefined) {
      const symbols = Object.getOwnPropertySymbols(stringifiers);
      symbol = symbols.find(({ description }) => description === 'pino.wildcardFirst') ?? null;
      this.#wildcards.set(stringifiers, symbol);
    }
    return symbol ?? undefined;
  }

  #recordAt(instance: PinoLogger, name: SymbolName): Readonly<Record<string, unknown>> {
    const record = this.#read(instance, name);
    return typeof record === 'object' && record !== null ? (record as Readonly<Record<string, unknown>>) : nothing;
  }

  #read(instance: PinoLogger, name: SymbolName): unknown {
    const symbol = this.#symbol(instance, name);
    return symbol && (instance as unknown as Readonly<Record<symbol, unknown>>)[symbol];
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

function printed(
  { errorKey, serializers, stringifiers, anyStringifier }: Printing,
  key: string,
  raw: unknown,
): unknown {
  const errorSerializer = key === errorKey ? serializers.err : undefined;
  const serializer = serializers[key] ?? errorSerializer;
  const value = typeof serializer === 'function' ? (serializer as Serializer)(raw) : raw;
  const stringifier = stringifiers[key] ?? anyStringifier;
  // Only redacted keys have one; it censors and stringifies in one step.
  return typeof stringifier === 'function' ? parsed((stringifier as Serializer)(value)) : value;
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
