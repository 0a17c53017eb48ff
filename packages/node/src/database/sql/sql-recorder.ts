import type { Attributes } from '@opentelemetry/api';
import type { InstrumentationContext } from '../../instrumentation.ts';
import type { CellLookup, HistogramCell, SumCell } from '../../metrics/cells.ts';
import { prometheusBoundaries } from '../../surfaces/duration-boundaries.ts';
import {
  type DatabaseCall,
  type DatabaseFailure,
  type DatabaseOperation,
  DatabaseRecorder,
  type DatabaseTarget,
} from '../database-recorder.ts';
import { type SqlStatement, StatementCache } from './read-statement.ts';
import type { SqlDialect } from './tokens.ts';

const changes = new Set(['INSERT', 'UPDATE', 'DELETE', 'REPLACE', 'MERGE']);

/** Whether a statement changes rows. After others, drivers repeat what an earlier one changed, or count the answer's rows. */
export function isChange(operation: unknown): boolean {
  return typeof operation === 'string' && changes.has(operation);
}

/** A statement whose text is read when somebody asks. */
class SqlCall implements DatabaseCall {
  readonly target: DatabaseTarget;
  readonly #text: string;
  readonly #statements: StatementCache;
  #read: SqlStatement | undefined;

  constructor(target: DatabaseTarget, text: string, statements: StatementCache) {
    this.target = target;
    this.#text = text;
    this.#statements = statements;
  }

  get operation(): string | undefined {
    return this.#statement.operation;
  }

  get collection(): string | undefined {
    return this.#statement.table;
  }

  /** One that says nothing is named after its database. */
  get name(): string | undefined {
    return this.#statement.summary === '' ? undefined : this.#statement.summary;
  }

  get kind(): SqlStatement['kind'] {
    return this.#statement.kind;
  }

  attributes(): Attributes {
    const { text, summary } = this.#statement;
    return { 'db.query.text': text, 'db.query.summary': summary === '' ? undefined : summary };
  }

  get #statement(): SqlStatement {
    this.#read ??= this.#statements.get(this.#text);
    return this.#read;
  }
}

type OperationKeys = [op: 'query' | 'exec', result: 'ok' | 'error'];

export interface SqlOutcome {
  readonly failure?: DatabaseFailure | undefined;
  /** `db.response.returned_rows`. */
  readonly rows?: number | undefined;
  /** `sql.rows_affected`, which has no name in the conventions; looked at for statements that change rows. */
  readonly affected?: number | undefined;
}

export interface SqlOperation extends Pick<DatabaseOperation, 'context' | 'parent'> {
  /** Whether rows are worth counting. */
  readonly isRecording: boolean;
  /** Only the first call counts. */
  end(outcome?: SqlOutcome): void;
}

/**
 * Statements of SQL: a span each, with table, operation and the text without its literals, and beside
 * `db.client.operation.duration` the counter `sql_ops_total` and the histogram `sql_op_duration_seconds`, by `op=query|exec`
 * and `result=ok|error`, of all but the statements that begin and end transactions.
 */
export class SqlRecorder {
  readonly #wantsMetrics: boolean;
  readonly #recorder: DatabaseRecorder;
  readonly #statements: StatementCache;
  readonly #total: CellLookup<OperationKeys, SumCell>;
  readonly #duration: CellLookup<OperationKeys, HistogramCell>;

  constructor(instrumentation: InstrumentationContext, dialect: SqlDialect) {
    this.#recorder = new DatabaseRecorder(instrumentation, { requireParent: false });
    this.#statements = new StatementCache(dialect);
    const { cells, wants } = instrumentation;
    this.#wantsMetrics = wants.metrics;
    this.#total = cells.counter(
      'sql_ops_total',
      { description: 'Statements of SQL that have been executed.', unit: '{operation}', prefixed: true },
      (op, result) => ({ op, result }),
    );
    this.#duration = cells.histogram(
      'sql_op_duration_seconds',
      { description: 'Duration of statements of SQL.', unit: 's', boundaries: prometheusBoundaries, prefixed: true },
      (op, result) => ({ op, result }),
    );
  }

  /** Undefined when tracing is suppressed. The text is read only where a span or a metric needs to know what it says. */
  begin(target: DatabaseTarget, text: string): SqlOperation | undefined {
    const call = new SqlCall(target, text, this.#statements);
    const running = this.#recorder.begin(call);
    if (running === undefined) return undefined;
    const startTime = performance.now();
    const isRecording = running.span?.isRecording() === true;
    let isOver = false;
    const operation: SqlOperation = {
      context: running.context,
      parent: running.parent,
      isRecording,
      end: ({ failure, rows, affected } = {}) => {
        if (isOver) return;
        isOver = true;
        if (this.#wantsMetrics && call.kind !== undefined) {
          const result = failure === undefined ? 'ok' : 'error';
          this.#total(call.kind, result).add(1);
          this.#duration(call.kind, result).record((performance.now() - startTime) / 1000, running.context);
        }
        running.end({
          failure,
          attributes: () => ({
            'db.response.returned_rows': rows,
            'sql.rows_affected': isChange(call.operation) ? affected : undefined,
          }),
        });
      },
    };
    // Counted like any other that fails.
    running.cutOff = operation.end;
    return operation;
  }

  /** The way to a database, which is where one that is down shows. */
  connect(target: DatabaseTarget): DatabaseOperation | undefined {
    const call: DatabaseCall = { target, operation: 'CONNECT' };
    return this.#recorder.begin(call);
  }
}
