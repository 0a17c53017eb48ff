import { Labels } from '../promql/labels.ts';

/** The labels of a stream of logs. Made once for each stream and shared by its entries. */
export class StreamLabels {
  readonly labels: Labels;
  readonly values: ReadonlyMap<string, string>;
  /**
   * What was not sent as a label and can be asked for by name all the same: the service that others found in the labels. Not shown
   * among the labels.
   */
  readonly implied: ReadonlyMap<string, string>;

  constructor(values: ReadonlyMap<string, string>, implied: ReadonlyMap<string, string> = new Map()) {
    this.values = values;
    this.labels = Labels.from(values);
    this.implied = implied;
  }

  /** '' when there is no such label. */
  get(name: string): string {
    return this.values.get(name) ?? this.implied.get(name) ?? '';
  }
}

/** An entry of a stream, as a source hands it out. */
export interface LogEntry {
  readonly stream: StreamLabels;
  /** Nanoseconds since 1970. */
  readonly time: bigint;
  readonly line: string;
  /** Structured metadata. */
  readonly metadata: readonly (readonly [name: string, value: string])[];
  /** Can be asked for by name, and is not shown: the level that was found in the line. */
  readonly implied?: ReadonlyMap<string, string> | undefined;
}
