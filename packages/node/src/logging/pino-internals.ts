import { type Bindings, bindingsOf, readBindings } from './pino-bindings.ts';

/** As much of a pino logger as is public. */
export interface PinoLogger {
  readonly levels: { readonly labels: Readonly<Record<number, string>> };
  bindings(): Record<string, unknown>;
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

type Symbols = Record<SymbolName, symbol>;
/** Of what a pino does not have. */
const absent = Symbol('absent');
const noSymbols = Object.fromEntries(symbolNames.map((name) => [name, absent])) as Symbols;

/** On loggers: what their bindings were when they were last asked for. Children find their parent's here. */
const bindingsKey = Symbol('@signalbox/node bindings');

type Values = Readonly<Record<PropertyKey, unknown>>;

/** What of a logger decides how its lines are printed, as it was when they were. */
export interface PinoState {
  readonly instance: PinoLogger;
  readonly serializers: Values;
  /** Undefined where nothing is redacted. */
  readonly stringifiers: Values | undefined;
  /** Of redaction by wildcard. */
  readonly anyStringifier: unknown;
  readonly format: unknown;
  readonly errorKey: unknown;
  readonly messageKey: unknown;
  /** How each level begins a line. */
  readonly levels: unknown;
}

const nothing: Values = Object.freeze(Object.create(null));

/**
 * Reads what pino keeps under symbols (`pino.chindings`, `pino.serializers`, …), whose descriptions have been the same
 * since version 5. Serializers, redaction and the `log` formatter must be applied here as pino applies them to its own
 * line: what an application hides from its log must not leave through OTLP.
 */
export class PinoInternals {
  /** Two copies of pino have different ones. */
  readonly #symbols: Symbols[] = [];
  readonly #wildcards = new WeakMap<object, symbol>();
  readonly #levelNames = new WeakMap<object, Map<number, string>>();
  /** What was asked for last: most lines are of one level, and of children of one logger. */
  #lastLevels: object | undefined;
  #lastLevel = Number.NaN;
  #lastLevelName = '';
  #lastStringifiers: object | undefined;
  #lastRedactsKeys = true;
  #lastWildcard: symbol = absent;

  read(instance: PinoLogger): PinoState {
    const symbols = this.#symbolsOf(instance);
    // Each at a place of its own in the code, so that the engine knows which property is read there.
    const values = instance as unknown as Values;
    const stringifiers = recordOf(values[symbols.stringifiers]);
    const anyStringifier = stringifiers[this.#wildcardOf(stringifiers)];
    return {
      instance,
      serializers: recordOf(values[symbols.serializers]),
      stringifiers: this.#lastRedactsKeys ? stringifiers : undefined,
      anyStringifier,
      format: recordOf(values[symbols.formatters]).log,
      errorKey: values[symbols.errorKey],
      messageKey: values[symbols.messageKey],
      levels: values[symbols.lsCache],
    };
  }

  /** Appends `,"key":value…` to the bindings of this logger until the returned function is called. */
  appendBindings(instance: PinoLogger, json: string): (() => void) | undefined {
    const symbol = this.#symbolsOf(instance).chindings;
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
   * The logger's bindings. They are read from their text once, and of a child, as frameworks make one for each request, only
   * what it adds to its parent's.
   */
  bindings(instance: PinoLogger): Bindings {
    const text = (instance as unknown as Values)[this.#symbolsOf(instance).chindings];
    if (typeof text !== 'string') return { text: '', own: bindingsOf(instance.bindings()), inherited: undefined };
    const logger = instance as { [bindingsKey]?: Bindings };
    const known = logger[bindingsKey];
    if (known?.text === text) return known;
    const bindings = readBindings(text, known ?? this.#ofParent(instance));
    logger[bindingsKey] = bindings;
    return bindings;
  }

  /** Of a parent that has not written a line itself: read once, for all its children. */
  #ofParent(instance: PinoLogger): Bindings | undefined {
    const parent: unknown = Object.getPrototypeOf(instance);
    if (typeof parent !== 'object' || parent === null) return undefined;
    const text = (parent as Values)[this.#symbolsOf(instance).chindings];
    if (typeof text !== 'string') return undefined;
    const bindings = readBindings(text, undefined);
    (parent as { [bindingsKey]?: Bindings })[bindingsKey] = bindings;
    return bindings;
  }

  /** Whether the logger has bound something under this name. */
  hasBinding(instance: PinoLogger, name: string): boolean {
    const text = (instance as unknown as Values)[this.#symbolsOf(instance).chindings];
    const known = (instance as { [bindingsKey]?: Bindings })[bindingsKey];
    // Within a value the quotes would be escaped.
    if (typeof text === 'string' && known?.text !== text && !text.includes(`"${name}":`)) return false;
    for (let bindings: Bindings | undefined = this.bindings(instance); bindings; bindings = bindings.inherited)
      for (const binding of bindings.own) if (binding[0] === name) return true;
    return false;
  }

  /** The level as the application's own line spells it (`info`, or `INFO` with a `level` formatter). */
  levelName({ levels, instance }: PinoState, level: number): string {
    const owner = typeof levels === 'object' && levels !== null ? levels : instance.levels;
    if (owner === this.#lastLevels && level === this.#lastLevel) return this.#lastLevelName;
    let names = this.#levelNames.get(owner);
    if (names === undefined) {
      names = new Map();
      this.#levelNames.set(owner, names);
    }
    let name = names.get(level);
    if (name === undefined) {
      const prefix: unknown = owner === levels ? Reflect.get(owner, level) : undefined;
      const printed =
        typeof prefix === 'string'
          ? Object.values(parsedObject(`${prefix}}`)).find((value) => typeof value === 'string')
          : undefined;
      name = typeof printed === 'string' ? printed : (instance.levels.labels[level] ?? String(level));
      names.set(level, name);
    }
    this.#lastLevels = owner;
    this.#lastLevel = level;
    this.#lastLevelName = name;
    return name;
  }

  #wildcardOf(stringifiers: object): symbol {
    if (stringifiers === this.#lastStringifiers) return this.#lastWildcard;
    let symbol = this.#wildcards.get(stringifiers);
    if (symbol === undefined) {
      const symbols = Object.getOwnPropertySymbols(stringifiers);
      symbol = symbols.find(({ description }) => description === 'pino.wildcardFirst') ?? absent;
      this.#wildcards.set(stringifiers, symbol);
    }
    this.#lastStringifiers = stringifiers;
    // As pino makes them, once for a logger and its children.
    this.#lastRedactsKeys = hasKeys(stringifiers);
    this.#lastWildcard = symbol;
    return symbol;
  }

  #symbolsOf(instance: PinoLogger): Symbols {
    for (const known of this.#symbols) if (known.chindings in instance) return known;
    const found: Partial<Symbols> = {};
    for (let object: object | null = instance; object !== null; object = Object.getPrototypeOf(object))
      for (const symbol of Object.getOwnPropertySymbols(object)) {
        const name = symbolNames.find((each) => symbol.description === `pino.${each}`);
        if (name !== undefined) found[name] ??= symbol;
      }
    const symbols = { ...noSymbols, ...found };
    if (found.chindings !== undefined) this.#symbols.push(symbols);
    return symbols;
  }
}

/** A line's message after the serializer and redaction that its key may have. */
export function printedMessage(state: PinoState, message: unknown): unknown {
  return typeof state.messageKey === 'string' ? printed(state, state.messageKey, message) : message;
}

/** What pino prints the fields of, of a line's merged object. */
export function fieldsOf({ format }: PinoState, merged: unknown): Readonly<Record<string, unknown>> {
  if (typeof merged !== 'object' || merged === null) return nothing;
  return typeof format === 'function' ? recordOf((format as Serializer)(merged)) : (merged as Values);
}

/** A field as pino would print it. */
export function printed(
  { errorKey, serializers, stringifiers, anyStringifier }: PinoState,
  key: string,
  raw: unknown,
): unknown {
  const errorSerializer = key === errorKey ? serializers.err : undefined;
  const serializer = serializers[key] ?? errorSerializer;
  const value = typeof serializer === 'function' ? (serializer as Serializer)(raw) : raw;
  const stringifier = stringifiers?.[key] ?? anyStringifier;
  // Only redacted keys have one; it censors and stringifies in one step.
  return typeof stringifier === 'function' ? parsed((stringifier as Serializer)(value)) : value;
}

/** Inherited ones, too. */
function hasKeys(object: object): boolean {
  for (const _ in object) return true;
  return false;
}

function recordOf(value: unknown): Values {
  return typeof value === 'object' && value !== null ? (value as Values) : nothing;
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
