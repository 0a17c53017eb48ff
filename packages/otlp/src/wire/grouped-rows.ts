/** Rows by group, in their order: those of group g are `rows[offsets[g]]` to `rows[offsets[g + 1]]` (exclusive). */
export interface GroupedRows {
  readonly offsets: Uint32Array;
  readonly rows: Uint32Array;
}

/** Groups rows by what `groupOf` says of each, a number below `groupCount`. Costs O(rows + groups), whatever the order. */
export function groupRows(groupOf: Uint32Array, rowCount: number, groupCount: number): GroupedRows {
  const offsets = new Uint32Array(groupCount + 1);
  for (let row = 0; row < rowCount; row++) {
    offsets[groupOf[row] + 1]++;
  }
  for (let group = 0; group < groupCount; group++) {
    offsets[group + 1] += offsets[group];
  }
  const next = offsets.slice(0, groupCount);
  const rows = new Uint32Array(rowCount);
  for (let row = 0; row < rowCount; row++) {
    rows[next[groupOf[row]]++] = row;
  }
  return { offsets, rows };
}
