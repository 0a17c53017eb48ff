import {
  type Alias,
  isAlias,
  isMap,
  isScalar,
  isSeq,
  LineCounter,
  type Node,
  type Pair,
  parseAllDocuments,
  parseDocument,
  visit,
  type YAMLMap,
} from 'yaml';

/** A mistake at a place in a YAML text; lines and columns count from 1. */
export interface YamlProblem {
  readonly message: string;
  readonly line: number;
  readonly column: number;
}

/** A text in which more aliases are followed than this is one that was made to take for ever. */
const MAX_ALIASES = 10_000;

/**
 * Reads a YAML text strictly, gathering what is wrong with it: unknown fields, values of another type. What it could not
 * read is undefined or empty, so that one pass finds many mistakes. Aliases stand for what they name, and `<<` takes in fields that a
 * map has not itself.
 */
export class YamlReader {
  readonly problems: YamlProblem[] = [];
  /** Where a second document begins, which is not read. */
  readonly second: Pick<YamlProblem, 'line' | 'column'> | undefined;
  readonly root: Node | null;
  readonly #lines = new LineCounter();
  readonly #named = new Map<Alias, Node>();
  #followed = 0;

  /** @param options `allowsMore`: only the first of several documents counts, as in Prometheus; else more than one is a problem */
  constructor(text: string, { allowsMore = false }: { readonly allowsMore?: boolean } = {}) {
    const options = { lineCounter: this.#lines, uniqueKeys: true };
    const all = allowsMore ? parseAllDocuments(text, options) : [];
    const [first, second] = 'empty' in all ? [] : all;
    const document = first ?? parseDocument(text, options);
    if (second !== undefined) {
      const { line, col } = this.#lines.linePos(second.range[0]);
      this.second = { line, column: col };
    }
    this.root = document.contents;
    for (const error of document.errors) {
      const { line = 1, col = 1 } = error.linePos?.[0] ?? {};
      this.problems.push({ message: error.message.split('\n', 1)[0] ?? error.message, line, column: col });
    }
    const anchors = new Map<string, Node>();
    visit(document, {
      Alias: (_, alias) => {
        const node = anchors.get(alias.source);
        if (node) this.#named.set(alias, node);
        else this.report(alias, `nothing before it is called &${alias.source}`);
      },
      Value: (_, node) => {
        if (node.anchor !== undefined) anchors.set(node.anchor, node);
      },
    });
  }

  /** Says that something is wrong at a node. */
  report(node: Node | null | undefined, message: string): void {
    const { line, col } = this.#lines.linePos(node?.range?.[0] ?? 0);
    this.problems.push({ message, line, column: col });
  }

  /** The fields of a map, all of which must be in `known`; undefined: not a map. */
  fields(given: Node | null | undefined, what: string, known: readonly string[]): Map<string, Node | null> | undefined {
    const node = this.#follow(given);
    if (node === null || node === undefined || (isScalar(node) && node.value === null)) return new Map();
    if (!isMap(node)) {
      this.report(node, `${what}: expected a map`);
      return undefined;
    }
    const fields = new Map<string, Node | null>();
    for (const { name, key, value } of this.#entries(node)) {
      if (known.includes(name)) fields.set(name, value);
      else this.report(key, `field ${name} not found in ${what}; known are ${known.join(', ')}`);
    }
    return fields;
  }

  /** The elements of a list but those of which nothing is said; none when the node is absent or, after a report, when it is no list. */
  list(given: Node | null | undefined, what: string): readonly (Node | null)[] {
    const node = this.#follow(given);
    if (node === null || node === undefined || (isScalar(node) && node.value === null)) return [];
    if (isSeq(node)) {
      const items = node.items as (Node | null)[];
      return items.filter((item) => !(isScalar(item) && item.value === null));
    }
    this.report(node, `${what}: expected a list`);
    return [];
  }

  /** A scalar as the text that stands in the file, so that `1.0` stays `1.0`; '' when absent. */
  text(given: Node | null | undefined, what: string): string {
    const node = this.#follow(given);
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
  texts(given: Node | null | undefined, what: string): Map<string, string> {
    const node = this.#follow(given);
    const texts = new Map<string, string>();
    if (node === null || node === undefined || (isScalar(node) && node.value === null)) return texts;
    if (!isMap(node)) {
      this.report(node, `${what}: expected a map of texts`);
      return texts;
    }
    for (const { name, value } of this.#entries(node)) texts.set(name, this.text(value, `${what}.${name}`));
    return texts;
  }

  /** The node that an alias stands for; others as they are. */
  #follow(node: Node | null | undefined): Node | null | undefined {
    if (!isAlias(node)) return node;
    if (++this.#followed > MAX_ALIASES) {
      if (this.#followed === MAX_ALIASES + 1) this.report(node, `more than ${MAX_ALIASES} aliases`);
      return null;
    }
    return this.#named.get(node) ?? null;
  }

  /** What stands in a map; what it takes in by `<<` comes after its own. */
  #entries(map: YAMLMap): { readonly name: string; readonly key: Node; readonly value: Node | null }[] {
    const merged: YAMLMap[] = [];
    const entries: { readonly name: string; readonly key: Node; readonly value: Node | null }[] = [];
    for (const { key, value } of map.items as Pair<Node, Node | null>[]) {
      const scalar = this.#follow(key);
      const name = isScalar(scalar) ? String(scalar.value) : '';
      if (name !== '<<') entries.push({ name, key, value });
      else {
        const given = this.#follow(value);
        const maps = isSeq(given) ? given.items.map((item) => this.#follow(item as Node | null)) : [given];
        if (maps.every((one) => isMap(one))) merged.push(...maps);
        else this.report(key, '<<: expected a map or a list of maps');
      }
    }
    const own = new Set(entries.map(({ name }) => name));
    for (const { items } of merged) {
      for (const { key, value } of items as Pair<Node, Node | null>[]) {
        const name = isScalar(key) ? String(key.value) : '';
        if (own.has(name)) continue;
        own.add(name);
        entries.push({ name, key, value });
      }
    }
    return entries;
  }
}
