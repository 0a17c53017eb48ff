import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

interface RegistryAttribute {
  readonly type: string;
  readonly value_type?: string;
  readonly deprecated?: unknown;
}

interface RegistryMetric {
  readonly instrument: string;
  readonly unit: string;
  readonly attributes: Readonly<Record<string, { readonly requirement: string }>>;
  readonly deprecated?: unknown;
}

interface RegistrySpan {
  readonly attributes: Readonly<Record<string, { readonly requirement: string }>>;
}

/** The registry of semantic conventions, read from the conformance data. */
export interface Registry {
  readonly attributes: Readonly<Record<string, RegistryAttribute>>;
  readonly metrics: Readonly<Record<string, RegistryMetric>>;
  readonly spans: Readonly<Record<string, RegistrySpan>>;
}

const folder =
  process.env.SIGNALBOX_CONFORMANCE ?? fileURLToPath(new URL('../../../../../shared/conformance', import.meta.url));
const path = `${folder}/semconv/registry-v1.44.0.json`;

/** Undefined where the data is missing; the tests that need it then skip by name. */
export const registry: Registry | undefined = existsSync(path) ? JSON.parse(readFileSync(path, 'utf8')) : undefined;

const javascriptTypes: Readonly<Record<string, string>> = {
  string: 'string',
  int: 'number',
  double: 'number',
  boolean: 'boolean',
};

/** What is wrong with a set of attributes by the registry: unknown, deprecated or of another type. */
export function violations(attributes: Readonly<Record<string, unknown>>, { attributes: known }: Registry): string[] {
  return Object.entries(attributes).flatMap(([name, value]) => {
    const definition = known[name];
    if (definition === undefined) return [`${name} is not in the registry`];
    if (definition.deprecated !== undefined) return [`${name} is deprecated`];
    const expected = javascriptTypes[definition.value_type ?? definition.type];
    return expected !== undefined && typeof value !== expected
      ? [`${name} is a ${typeof value}, not a ${expected}`]
      : [];
  });
}

/** Names of attributes that the convention requires of this span and it lacks. */
export function missing(span: string, attributes: Readonly<Record<string, unknown>>, { spans }: Registry): string[] {
  return Object.entries(spans[span]?.attributes ?? {})
    .filter(([name, { requirement }]) => requirement === 'required' && !(name in attributes))
    .map(([name]) => name);
}
