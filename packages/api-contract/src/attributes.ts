/** An attribute value in OTLP/JSON's own form (opentelemetry-proto `AnyValue`): exactly one member, int64 as a string. */
export type AnyValue =
  | { stringValue: string }
  | { boolValue: boolean }
  | { intValue: string }
  | { doubleValue: number | 'NaN' | 'Infinity' | '-Infinity' }
  | { arrayValue: { values: AnyValue[] } }
  | { kvlistValue: { values: KeyValue[] } }
  /** base64 */
  | { bytesValue: string }
  /** An attribute that was sent without a value. */
  | Record<string, never>;

export interface KeyValue {
  key: string;
  value: AnyValue;
}
