import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { resolveConfiguration } from './configuration.ts';
import { Environment } from './environment.ts';
import { propagatorFromEnvironment } from './propagation/propagator-from-environment.ts';
import { createResource } from './resource.ts';
import { resolveSampling } from './sampling/resolve-sampling.ts';
import { configurationFilePath, isDisabled } from './settings.ts';
import { RecordedWarnings } from './testing/recorded-warnings.ts';

interface Row {
  readonly variables: readonly string[];
  readonly honoured: string;
  readonly test: string;
}

const text = readFileSync(new URL('../../../docs/sdk-environment.md', import.meta.url), 'utf8');
const rows: Row[] = text
  .split('\n')
  .filter((line) => line.startsWith('| `OTEL_'))
  .map((line) => {
    const [, names = '', honoured = '', test = ''] = line.split('|').map((cell) => cell.trim());
    return { variables: [...names.matchAll(/`([^`]+)`/g)].flatMap(([, name = '']) => expand(name)), honoured, test };
  });

/** `A_{B,C}_D` → `A_B_D`, `A_C_D`. */
function expand(name: string): string[] {
  const match = /^(.*)\{(.*)\}(.*)$/.exec(name);
  return match === null ? [name] : (match[2] ?? '').split(',').map((part) => `${match[1]}${part}${match[3]}`);
}

/** Names of the variables that are looked at, whatever is in them. */
function namesRead(): Set<string> {
  const names = new Set<string>();
  const set: Record<string, string> = {
    // An endpoint without a scheme is where INSECURE counts; a sampler that takes an argument where that does.
    OTEL_EXPORTER_OTLP_PROTOCOL: 'grpc',
    OTEL_EXPORTER_OTLP_ENDPOINT: 'collector:4317',
    OTEL_TRACES_SAMPLER: 'traceidratio',
  };
  const variables = new Proxy(set, {
    get(target, name) {
      if (typeof name === 'string') names.add(name);
      return Reflect.get(target, name);
    },
  });
  const warnings = new RecordedWarnings();
  const env = new Environment(variables, warnings);
  isDisabled(env);
  configurationFilePath(env);
  resolveConfiguration({}, env, warnings);
  resolveSampling({}, env);
  createResource({}, env, false);
  propagatorFromEnvironment(env, warnings);
  // Read before there is an Environment, whose warnings it silences.
  names.add('OTEL_LOG_LEVEL');
  return names;
}

describe('docs/sdk-environment.md', () => {
  const honoured = rows.filter((row) => !/^no\b/.test(row.honoured));

  test('says that exactly those are honoured that are read', () => {
    expect(honoured.flatMap(({ variables }) => variables).sort()).toEqual([...namesRead()].sort());
  });

  test('names each variable once', () => {
    const all = rows.flatMap(({ variables }) => variables);
    expect(all).toEqual([...new Set(all)]);
  });

  test.each(honoured)('names a test of $variables that is there', ({ test: named }) => {
    const [file = '', title = ''] = named.split(': ');
    expect(title).not.toBe('');
    expect(readFileSync(new URL(file, import.meta.url), 'utf8')).toContain(title);
  });
});
