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
import { StatementCache } from './read-statement.ts';
import type { SqlDialect } from './tokens.ts';

/** After others drivers repeat what an earlier statement changed, or count the rows of the answer. */
const changes = new Set(['INSERT', 'UPDATE', 'DELETE', 'REPLACE', 'MERGE']);

type OperationKeys = [op: 'query' | 'exec', result: 'ok' | 'error'];

export interface SqlOutcome {
  readonly failure?: DatabaseFailure | undefined;
  /** `db.response.returned_rows`. */
  readonly rows?: number | undefined;
  /** `sql.rows_affected`, which has no name in the conventions; looked at for statements that change rows. */
  readonly affected?: number | undefined;
}

export interface SqlOperation extends Pick<DatabaseOperation, 'context' | 'parent'> {
  /** Only the first call counts. */
  end(outcome?: SqlOutcome): void;
}

/**
 * Statements of SQL: a span each, with table, operation and the text without its literals, and beside
 * `db.client.operation.duration` the counter `sql_ops_total` and the histogram `sql_op_duration_seconds`, by `op=query|exec`
 * and `result=ok|error`, of all but the statements that begin and end transactions.
 */
export class SqlRecorder {
  readonly #recorder: DatabaseRecorder;
  readonly #statements: StatementCache;
  readonly #total: CellLookup<OperationKeys, SumCell>;
  readonly #duration: CellLookup<OperationKeys, HistogramCell>;

  constructor(instrumentation: InstrumentationContext, dialect: SqlDialect) {
    this.#recorder = new DatabaseRecorder(instrumentation, { requireParent: false });
    this.#statements = new StatementCache(dialect);
    const { cells } = instrumentation;
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

  /** Undefined when tracing is suppressed. */
  begin(target: DatabaseTarget, text: string): SqlOperation | undefined {
    const statement = this.#statements.get(text);
    const { operation, table, summary, kind } = statement;
    const running = this.#recorder.begin({
      target,
      operation,
      collection: table,
      // A statement that says nothing is named after its database.
      name: summary === '' ? undefined : summary,
      attributes: () => ({ 'db.query.text': statement.text, ...(summary !== '' && { 'db.query.summary': summary }) }),
    });
    if (running === undefined) return undefined;
    const startTime = performance.now();
    let isOver = false;
    return {
      context: running.context,
      parent: running.parent,
      end: ({ failure, rows, affected } = {}) => {
        if (isOver) return;
        isOver = true;
        if (kind !== undefined) {
          const result = failure === undefined ? 'ok' : 'error';
          this.#total(kind, result).add(1);
          this.#duration(kind, result).record((performance.now() - startTime) / 1000, running.context);
        }
        const isChange = operation !== undefined && changes.has(operation);
        running.end({
          failure,
          attributes: () => ({
            ...(rows !== undefined && { 'db.response.returned_rows': rows }),
            ...(isChange && affected !== undefined && { 'sql.rows_affected': affected }),
          }),
        });
      },
    };
  }

  /** The way to a database, which is where one that is down shows. */
  connect(target: DatabaseTarget): DatabaseOperation | undefined {
    const call: DatabaseCall = { target, operation: 'CONNECT' };
    return this.#recorder.begin(call);
  }
}
