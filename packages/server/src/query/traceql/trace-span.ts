import type { Integer, Static } from '@signalbox/query-language';

/** What is known of a whole trace. Times are nanoseconds since 1970. */
export interface TraceSummary {
  readonly traceId: string;
  readonly start: bigint;
  readonly end: bigint;
  /** Of the earliest span without a parent; undefined: none has arrived. */
  readonly root: { readonly service: string; readonly name: string } | undefined;
  readonly services: readonly { readonly service: string; readonly spanCount: number; readonly errorCount: number }[];
}

/** A span under evaluation, with the cells that the query's fields are read from. */
export class TraceSpan {
  readonly trace: TraceSummary;
  /** 16 hex digits. */
  readonly id: string;
  /** '' for a root. */
  readonly parentId: string;
  readonly start: bigint;
  /** Nanoseconds. */
  readonly duration: Integer;
  readonly cells: readonly unknown[];
  readonly resource: ReadonlyMap<string, Static>;
  /** Place in the tree, as nested sets have it; all 0: not connected to a root. The parent of a root is -1. */
  left = 0;
  right = 0;
  parentLeft = 0;
  childCount = 0;

  constructor(
    trace: TraceSummary,
    head: { id: string; parentId: string; start: bigint; duration: Integer },
    cells: readonly unknown[],
    resource: ReadonlyMap<string, Static>,
  ) {
    this.trace = trace;
    this.id = head.id;
    this.parentId = head.parentId;
    this.start = head.start;
    this.duration = head.duration;
    this.cells = cells;
    this.resource = resource;
  }
}
