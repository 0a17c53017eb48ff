import { type Document, isAlias, isMap, isScalar, isSeq, LineCounter, type Node, parseDocument } from 'yaml';
import { ConfigError } from './config-error.ts';
import { expandVariables } from './expand-variables.ts';

/** A value of a configuration file with its place: what YAML says once variables are put in and aliases are followed. */
export type SettingNode = SettingScalar | SettingList | SettingTable;

interface Place {
  /** From 1. */
  readonly line: number;
}

export interface SettingScalar extends Place {
  readonly kind: 'scalar';
  readonly value: string | number | boolean | null;
  /** As the user wrote it, unquoted: `5s`, `007`, `1e3`. */
  readonly text: string;
}

export interface SettingList extends Place {
  readonly kind: 'list';
  readonly items: readonly SettingNode[];
}

export interface SettingTable extends Place {
  readonly kind: 'table';
  readonly entries: ReadonlyMap<string, SettingEntry>;
}

export interface SettingEntry {
  /** Of the key, from 1. */
  readonly line: number;
  readonly node: SettingNode;
}

/** Far above any honest file; aliases that multiply stop here. */
const MAX_NODES = 100_000;
const MAX_DEPTH = 64;

/**
 * Reads YAML and puts in what `${…}` stands for. Throws ConfigError with `file` and line for what is not YAML, for keys
 * that come twice, and for variables that can't be had.
 */
export function readSettingNodes(text: string, file: string, environment: NodeJS.ProcessEnv): SettingNode {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, uniqueKeys: true });
  const [problem] = document.errors;
  if (problem) {
    throw new ConfigError(`${file}:${problem.linePos?.[0].line ?? 1}: ${problem.message}`, { cause: problem });
  }
  const lineOf = (node: Node | null) => (node?.range ? lines.linePos(node.range[0]).line : 1);
  return new NodeReader(document, file, environment, lineOf).read(document.contents, 0);
}

class NodeReader {
  readonly #document: Document;
  readonly #file: string;
  readonly #environment: NodeJS.ProcessEnv;
  readonly #lineOf: (node: Node | null) => number;
  #nodes = 0;

  constructor(document: Document, file: string, environment: NodeJS.ProcessEnv, lineOf: (node: Node | null) => number) {
    this.#document = document;
    this.#file = file;
    this.#environment = environment;
    this.#lineOf = lineOf;
  }

  read(node: Node | null, depth: number): SettingNode {
    const line = this.#lineOf(node);
    if (++this.#nodes > MAX_NODES || depth > MAX_DEPTH) {
      throw new ConfigError(`${this.#file}:${line}: too many values, or nested too deeply`);
    }
    if (isAlias(node)) {
      return this.read(node.resolve(this.#document) ?? null, depth + 1);
    }
    if (isMap(node)) {
      const entries = new Map<string, SettingEntry>();
      for (const pair of node.items) {
        const key = isScalar(pair.key) ? String(pair.key.value) : '';
        const entry = { line: this.#lineOf(pair.key as Node), node: this.read(pair.value as Node | null, depth + 1) };
        if (key === '<<') {
          merge(entries, entry.node);
        } else {
          entries.set(key, entry);
        }
      }
      return { kind: 'table', line, entries };
    }
    if (isSeq(node)) {
      return { kind: 'list', line, items: node.items.map((item) => this.read(item as Node | null, depth + 1)) };
    }
    if (isScalar(node)) {
      return this.#scalar(node.value, node.source ?? String(node.value ?? ''), line, depth);
    }
    return { kind: 'scalar', line, value: null, text: '' };
  }

  #scalar(value: unknown, text: string, line: number, depth: number): SettingNode {
    if (typeof value !== 'string') {
      const known = typeof value === 'number' || typeof value === 'boolean' ? value : null;
      return { kind: 'scalar', line, value: typeof value === 'bigint' ? Number(value) : known, text };
    }
    const expansion = expandVariables(value, this.#environment);
    if (expansion.problem !== undefined) {
      throw new ConfigError(`${this.#file}:${line}: ${expansion.problem}`);
    }
    if (!expansion.whole) {
      return { kind: 'scalar', line, value: expansion.text, text: expansion.text };
    }
    // A value that is nothing but a variable has the type that YAML gives to what the variable holds: 4317, true, a list.
    const document = parseDocument(expansion.text);
    if (document.errors.length > 0 || isAlias(document.contents)) {
      return { kind: 'scalar', line, value: expansion.text, text: expansion.text };
    }
    return new NodeReader(document, this.#file, {}, () => line).#literal(document.contents, depth);
  }

  /** What a variable holds is not looked at for variables once more. */
  #literal(node: Node | null, depth: number): SettingNode {
    const line = this.#lineOf(node);
    if (isScalar(node) && typeof node.value === 'string') {
      return { kind: 'scalar', line, value: node.value, text: node.value };
    }
    return this.read(node, depth);
  }
}

/** YAML's merge key: what stands in the table itself goes before. */
function merge(entries: Map<string, SettingEntry>, merged: SettingNode): void {
  for (const table of merged.kind === 'list' ? merged.items : [merged]) {
    for (const [key, entry] of table.kind === 'table' ? table.entries : []) {
      if (!entries.has(key)) {
        entries.set(key, entry);
      }
    }
  }
}
