/** The rows of a batch of spans or log records by their trace, in the order in which the traces appear. Keys: the id's 16 bytes as Latin-1. */
export function rowsByTrace(batch: { readonly rowCount: number; readonly traceId: Uint8Array }): Map<string, number[]> {
  const traces = new Map<string, number[]>();
  const ids = Buffer.from(batch.traceId.buffer, batch.traceId.byteOffset, batch.rowCount * 16);
  for (let row = 0; row < batch.rowCount; row++) {
    const id = ids.toString('latin1', row * 16, row * 16 + 16);
    const rows = traces.get(id);
    if (rows === undefined) {
      traces.set(id, [row]);
    } else {
      rows.push(row);
    }
  }
  return traces;
}
