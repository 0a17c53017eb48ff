/**
 * Called with every column of slices of a batch and the number of its valid rows; it may change where slices start and end.
 * Rows that lie nowhere start and end at the same place.
 */
export type SlicesVisitor = (slices: { readonly start: Uint32Array; readonly end: Uint32Array }, count: number) => void;
