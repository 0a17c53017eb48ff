/** Attributes of a metric of the program itself. */
export type TelemetryAttributes = Readonly<Record<string, string>>;

/** A number that only grows. */
export interface Counter {
  /** @param amount 0 or more */
  add(amount: number): void;
}

/** A distribution. */
export interface Histogram {
  record(value: number): void;
}

/**
 * What the program counts about itself. The names are those of the Collector where it has one (`otelcol_exporter_sent_spans`, without
 * Prometheus's `_total`). Asking twice for the same name and attributes gives the same instrument.
 *
 * A component need not count what goes in and out of it: the graph counts accepted and refused records of receivers, incoming
 * and outgoing ones of processors, sent and failed ones of exporters. It counts what only it knows: queue lengths, decisions.
 */
export interface Telemetry {
  counter(name: string, description: string, attributes?: TelemetryAttributes): Counter;
  /** @param read is called whenever somebody looks */
  gauge(name: string, description: string, read: () => number, attributes?: TelemetryAttributes): void;
  /** @param bounds upper bounds of the buckets, ascending */
  histogram(name: string, description: string, bounds: readonly number[], attributes?: TelemetryAttributes): Histogram;
}
