import { isMap, isScalar, isSeq, LineCounter, type Node, type Pair, parseDocument, type YAMLMap } from 'yaml';

/** A mistake at a place in a YAML text; lines and columns count from 1. */
export interface YamlProblem {
  readonly message: string;
  readonly line: number;
  readonly column: number;
}

/**
 * Reads a YAML text strictly, gathering what is wrong with it: unknown fields, values of another type. What it could not
 * read is undefined or empty, so that one pass finds many mistakes.
 */
export class YamlReader {
  readonly problems: YamlProblem[] = [];
  readonly root: Node | null;
  readonly #lines = new LineCounter();

  constructor(text: string) {
    const document = parseDocument(text, { lineCounter: this.#lines, uniqueKeys: true });
    this.root = document.contents;
    for (const error of document.errors) {
      const { line = 1, col = 1 } = error.linePos?.[0] ?? {};
      this.problems.push({ message: error.message.split('\n', 1)[0] ?? error.message, line, column: col });
    }
  }

  /** Says that something is wrong at a node. */
  report(node: Node | null | undefined, message: string): void {
    const { line, col } = this.#lines.linePos(node?.range?.[0] ?? 0);
    this.problems.push({ message, line, column: col });
  }

  /** The fields of a map, all of which must be in `known`; undefined: not a map. */
  fields(node: Node | null | undefined, what: string, known: readonly string[]): Map<string, Node | null> | undefined {
    if (node === null || node === undefined) return new Map();
    if (!isMap(node)) {
      this.report(node, `${what}: expected a map`);
      return undefined;
    }
    const fields = new Map<string, Node | null>();
    for (const { key, value } of this.#pairs(node)) {
      const name = isScalar(key) ? String(key.value) : '';
      if (known.includes(name)) fields.set(name, value);
      else this.report(key, `field ${name} not found in ${what}; known are ${known.join(', ')}`);
    }
    return fields;
  }

  /** The elements of a list; none when the node is absent or, after a report, when it is no list. */
  list(node: Node | null | undefined, what: string): readonly (Node | null)[] {
    if (node === null || node === undefined || (isScalar(node) && node.value === null)) return [];
    if (isSeq(node)) return node.items as (Node | null)[];
    this.report(node, `${what}: expected a list`);
    return [];
  }

  /** A scalar as the text that stands in the file, so that `1.0` stays `1.0`; '' when absent. */
  text(node: Node | null | undefined, what: string): string {
    if (node === null || node === undefined) return '';
    if (!isScalar(node)) {
      this.report(node, `${what}: expected a text`);
      return '';
    }
    if (node.value === null) return '';
    return typeof node.value === 'string' ? node.value : (node.source ?? String(node.value));
  }

  integer(node: Node | null | undefined, what: string): number {
    const text = this.text(node, what);
    if (text === '') return 0;
    if (/^[+-]?\d{1,15}$/.test(text)) return Number(text);
    this.report(node, `${what}: expected a whole number`);
    return 0;
  }

  /** A map of texts, in the file's order. */
  texts(node: Node | null | undefined, what: string): Map<string, string> {
    const texts = new Map<string, string>();
    if (node === null || node === undefined || (isScalar(node) && node.value === null)) return texts;
    if (!isMap(node)) {
      this.report(node, `${what}: expected a map of texts`);
      return texts;
    }
    for (const { key, value } of this.#pairs(node)) {
      const name = isScalar(key) ? String(key.value) : '';
      texts.set(name, this.text(value, `${what}.${name}`));
    }
    return texts;
  }

  #pairs(map: YAMLMap): readonly Pair<Node, Node | null>[] {
    return map.items as Pair<Node, Node | null>[];
  }
}
