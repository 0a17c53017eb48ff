import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const root = fileURLToPath(new URL('..', import.meta.url));
const conformance = process.env.SIGNALBOX_CONFORMANCE ?? join(root, '../shared/conformance');
const registries = ['registry-v1.44.0.json', 'genai-v1.41.0.json'].map((name) => join(conformance, 'semconv', name));
const isThere = registries.every((path) => existsSync(path));
const isFull = process.env.SIGNALBOX_TEST_TIER === 'full';

/** Dotted words in the sources that name nothing which is emitted as an attribute, an event or a metric. */
const namesNothing = new Set([
  // Diagnostics channels and packages' files.
  'http.server.request.start',
  'http.client.response.finish',
  'http.client.request.error',
  'fastify.initialization',
  'index.js',
  'hono.js',
  'socket.io',
  'package.json',
  // Entries of baggage, values of gen_ai.provider.name, an event of a library, a global symbol.
  'agent.id',
  'project.id',
  'azure.ai.openai',
  'aws.bedrock',
  'gcp.gemini',
  'gcp.vertex_ai',
  'google.vertex',
  'response.output_text.delta',
  'opentelemetry.js.api.1',
  // What the AI SDK calls its own attributes, which are read.
  'ai.model.id',
  'ai.model.provider',
  'ai.prompt.messages',
  'ai.response.text',
  'ai.usage.tokens',
  // Ends of names that are put together beside them; tests of these instrumentations compare the whole ones.
  'choice.count',
  'space.size',
  'space.available_size',
  'space.physical_size',
]);

interface Definition {
  readonly deprecated?: { readonly note?: string; readonly reason?: string };
}

/** Whether the conventions have the name and still mean it; what moved to the conventions of generative AI is meant there. */
function known(): Set<string> {
  const names = new Set<string>();
  for (const path of registries) {
    const registry: Record<string, Record<string, Definition>> = JSON.parse(readFileSync(path, 'utf8'));
    for (const kind of ['attributes', 'events', 'metrics'])
      for (const [name, { deprecated }] of Object.entries(registry[kind] ?? {}))
        if (deprecated === undefined) names.add(name);
  }
  return names;
}

/** By name the files in which it stands. */
function namesInSources(): Map<string, string[]> {
  const names = new Map<string, string[]>();
  const folder = join(root, 'packages/node/src');
  for (const file of readdirSync(folder, { recursive: true, encoding: 'utf8' })) {
    if (!file.endsWith('.ts') || file.endsWith('.test.ts') || /^(?:testing|declarative)\//.test(file)) continue;
    const text = readFileSync(join(folder, file), 'utf8').replaceAll(/\/\*[\s\S]*?\*\/|^\s*\/\/.*$/gm, '');
    for (const [, name = ''] of text.matchAll(/'([a-z][a-z0-9_]*(?:\.[a-z0-9_]+)+)'/g))
      names.set(name, [...(names.get(name) ?? []), file]);
  }
  return names;
}

function namesInDocs(): string[] {
  const text = readFileSync(join(root, 'docs/surfaces/names.md'), 'utf8');
  const rows = text.split('\n').filter((line) => line.startsWith('| `'));
  return rows.flatMap((row) => [...(row.split('|')[1] ?? '').matchAll(/`([^`]+)`/g)].map(([, name = '']) => name));
}

const everyName = 'every name in the SDK is one of the conventions, or docs/surfaces/names.md says why not (long tier)';
test.skipIf(!isThere || !isFull)(everyName, () => {
  const conventions = known();
  const documented = new Set(namesInDocs());
  const unknown = [...namesInSources()].filter(
    ([name]) => !conventions.has(name) && !documented.has(name) && !namesNothing.has(name),
  );
  expect(Object.fromEntries(unknown)).toEqual({});
});

test('docs/surfaces/names.md names nothing that is not there', () => {
  const names = namesInSources();
  const documented = namesInDocs();
  expect(documented).toEqual([...new Set(documented)]);
  expect([...documented, ...namesNothing].filter((name) => !names.has(name))).toEqual([]);
});

test.skipIf(!isThere)('docs/surfaces/names.md names nothing that the conventions have', () => {
  const conventions = known();
  expect(namesInDocs().filter((name) => conventions.has(name))).toEqual([]);
});
