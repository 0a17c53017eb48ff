export interface DecodeLimits {
  /** How deep arrays and key-value lists may nest in an attribute's value or a log's body. */
  readonly maxValueDepth: number;
}

/** Deeper than anything people write, shallow enough for every recursion over values. */
export const DEFAULT_DECODE_LIMITS: DecodeLimits = { maxValueDepth: 64 };
