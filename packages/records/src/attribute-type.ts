/**
 * Type of an attribute's or a log body's value (`AnyValue` in common.proto). The numbers are ours and are stored:
 * never change one.
 */
export const AttributeType = {
  Empty: 0,
  String: 1,
  Bool: 2,
  Int: 3,
  Double: 4,
  Array: 5,
  KeyValueList: 6,
  Bytes: 7,
} as const;

export type AttributeType = (typeof AttributeType)[keyof typeof AttributeType];
