import type { NativeBlock } from '../native-block.ts';

/** The column list of an insert, and the same with types for the table function `file`. Names are ours, types have quotes. */
export function insertColumns(block: NativeBlock): { names: string; structure: string } {
  return {
    names: block.columns.map((column) => column.name).join(', '),
    structure: block.columns.map((column) => `${column.name} ${column.type}`).join(', '),
  };
}
