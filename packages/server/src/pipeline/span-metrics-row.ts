/** Fields of the rows of `red` and `edges` that count spans in a bucket of 10 seconds. */
interface SpanAggregate {
  /** Start of the bucket, in seconds since 1970. */
  readonly time: number;
  readonly error: boolean;
  /** Spans, each weighing what head sampling says it stands for. */
  readonly count: number;
  /** Nanoseconds, weighted. */
  readonly durationSum: number;
  /** Nanoseconds, an integer. */
  readonly durationMax: number;
  /** Bucket index (`floor(log2(max(ns, 1)) * 8)`) to weighted count. */
  readonly buckets: ReadonlyMap<number, number>;
}

/** Rate, errors and duration of one operation in one bucket of time. Rows of the same key add up in the store. */
export interface RedRow extends SpanAggregate {
  readonly service: string;
  readonly name: string;
  /** OTLP's number of the span kind. */
  readonly kind: number;
  /** Whether the spans are of kind server or consumer, or roots. */
  readonly entry: boolean;
}

/** Calls from one service to a target in one bucket of time. Rows of the same key add up in the store. */
export interface EdgeRow extends SpanAggregate {
  readonly source: string;
  readonly target: string;
  readonly targetType: 'service' | 'database' | 'cache' | 'messaging' | 'external';
}
