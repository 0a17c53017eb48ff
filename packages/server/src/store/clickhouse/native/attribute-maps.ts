import { type AttributeTable, AttributeType, anyValueJson } from '@signalbox/records';
import type { BlockColumns, TextMap } from './block-columns.ts';
import { dataView, type RowSelection } from './copy-columns.ts';

/** The columns of all attributes of a prefix (see attributes.ts). */
export class AttributeMaps {
  readonly #strings: TextMap;
  readonly #ints: TextMap;
  readonly #doubles: TextMap;
  readonly #bools: TextMap;
  readonly #others: TextMap;

  constructor(columns: BlockColumns, prefix: string) {
    this.#strings = columns.addTextMap(`${prefix}_string`, 'String');
    this.#ints = columns.addTextMap(`${prefix}_int`, 'Int64');
    this.#doubles = columns.addTextMap(`${prefix}_double`, 'Float64');
    this.#bools = columns.addTextMap(`${prefix}_bool`, 'UInt8');
    this.#others = columns.addTextMap(`${prefix}_other`, 'String');
  }

  appendRows(bytes: Uint8Array, table: AttributeTable, selection: RowSelection): void {
    const source = dataView(bytes);
    for (let i = 0; i < selection.count; i++) {
      this.appendRow(bytes, table, selection.rows[i], source);
    }
  }

  /** @param source sees `bytes` */
  appendRow(bytes: Uint8Array, table: AttributeTable, row: number, source: DataView = dataView(bytes)): void {
    const { offsets, keys, values } = table;
    const last = offsets[row + 1];
    for (let entry = offsets[row]; entry < last; entry++) {
      const type = values.type[entry];
      let map: TextMap;
      switch (type) {
        case AttributeType.String:
          map = this.#strings;
          map.values[0].slice(source, values.start[entry], values.end[entry]);
          break;
        case AttributeType.Int:
          map = this.#ints;
          map.values[0].uint64(values.words[entry * 2], values.words[entry * 2 + 1]);
          break;
        case AttributeType.Double:
          map = this.#doubles;
          map.values[0].uint64(values.words[entry * 2], values.words[entry * 2 + 1]);
          break;
        case AttributeType.Bool:
          map = this.#bools;
          map.values[0].uint8(values.words[entry * 2]);
          break;
        default:
          map = this.#others;
          map.values[0].text(anyValueJson(bytes, values, entry));
      }
      map.keys.add(source, keys.start[entry], keys.end[entry]);
      map.count++;
    }
    this.#strings.endRow();
    this.#ints.endRow();
    this.#doubles.endRow();
    this.#bools.endRow();
    this.#others.endRow();
  }
}
