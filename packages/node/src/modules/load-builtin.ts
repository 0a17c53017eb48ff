/** A part of Node that has been loaded. */
export interface Builtin<Exports> {
  readonly exports: Exports;
  /** Says what Node said when it was loaded, once: that a part is experimental concerns the application that uses it. */
  warn(): void;
}

/** Loads a part of Node without a word. Undefined where this Node has none of that name. */
export function loadBuiltin<Exports extends object>(name: string): Builtin<Exports> | undefined {
  const withheld: unknown[][] = [];
  const { emitWarning } = process;
  process.emitWarning = (...warning: unknown[]) => void withheld.push(warning);
  try {
    const exports: unknown = process.getBuiltinModule(name);
    if (typeof exports !== 'object' || exports === null) return undefined;
    return {
      exports: exports as Exports,
      warn: () => {
        for (const warning of withheld.splice(0)) Reflect.apply(emitWarning, process, warning);
      },
    };
  } finally {
    process.emitWarning = emitWarning;
  }
}
