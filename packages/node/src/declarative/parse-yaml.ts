import { isAlias, isMap, isScalar, isSeq, LineCounter, type Node, parseDocument, Scalar as YamlScalar } from 'yaml';
import { plainScalar } from './plain-scalar.ts';
import type { ConfigValue, Findings } from './section.ts';
import { substituteVariables } from './substitute-variables.ts';

/** Far above any honest file; aliases that multiply stop here. */
const maxValues = 20_000;
const maxDepth = 32;

/**
 * Reads YAML 1.2 in its core schema and puts variables in, before types are decided. Undefined, with errors that have their
 * `line:column`, if it is no YAML or refers to variables in another way.
 */
export function parseYaml(
  text: string,
  variables: Readonly<Record<string, string | undefined>>,
  findings: Findings,
): ConfigValue | undefined {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, version: '1.2', schema: 'core', prettyErrors: false });
  const place = (offset: number): string => {
    const { line, col } = lines.linePos(offset);
    return `${line}:${col}`;
  };
  for (const { pos, message } of document.errors) findings.errors.push(`${place(pos[0])}: ${message}`);
  let values = 0;
  const read = (node: Node | null, at: string, depth: number): ConfigValue => {
    if (++values > maxValues || depth > maxDepth) throw new RangeError(`${at}: too many values, or nested too deeply`);
    if (isAlias(node)) return read(node.resolve(document) ?? null, at, depth + 1);
    const here = node?.range ? place(node.range[0]) : at;
    if (isMap<Node, Node | null>(node)) {
      const entries = node.items.map(({ key, value }) => {
        const keyAt = key.range ? place(key.range[0]) : here;
        const name = isScalar(key) ? String(key.value) : '';
        return [name, { at: keyAt, value: read(value, keyAt, depth + 1) }] as const;
      });
      return { kind: 'mapping', at: here, entries: new Map(entries) };
    }
    if (isSeq<Node | null>(node))
      return { kind: 'list', at: here, items: node.items.map((item) => read(item, here, depth + 1)) };
    return { kind: 'scalar', at: here, ...scalarOf(node, here, variables, findings) };
  };
  if (document.errors.length > 0) return undefined;
  try {
    return read(document.contents, '1:1', 0);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    findings.errors.push(error.message);
    return undefined;
  }
}

function scalarOf(
  node: Node | null,
  at: string,
  variables: Readonly<Record<string, string | undefined>>,
  findings: Findings,
): { value: string | number | boolean | null; text: string } {
  if (!isScalar(node)) return { value: null, text: '' };
  const { value } = node;
  if (typeof value === 'string' && value.includes('$')) {
    try {
      const text = substituteVariables(value, variables);
      return { value: node.type === YamlScalar.PLAIN ? plainScalar(text) : text, text };
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      findings.errors.push(`${at}: ${error.message}`);
      return { value: null, text: '' };
    }
  }
  if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean')
    return { value, text: node.source ?? String(value) };
  return { value: null, text: '' };
}
