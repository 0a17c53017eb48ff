export interface DecodeLimits {
  /** How deep arrays and key-value lists may nest in an attribute's value or a log's body. */
  readonly maxValueDepth: number;
}

export interface DecodeOptions<Batch> {
  readonly limits?: DecodeLimits;
  /** A batch whose rows nobody needs any more: it is emptied, and filled in place of a new one. */
  readonly into?: Batch | undefined;
}

/** Deeper than anything people write, shallow enough for every recursion over values. */
export const DEFAULT_DECODE_LIMITS: DecodeLimits = { maxValueDepth: 64 };
