import { AttributeEditor, type LogBatch } from '@signalbox/records';
import { RecordCursor } from './record-cursor.ts';

/** A log record. */
export class LogCursor extends RecordCursor {
  readonly logs: LogBatch;
  readonly attributes: AttributeEditor;
  row = 0;

  constructor(logs: LogBatch) {
    super(logs);
    this.logs = logs;
    this.attributes = new AttributeEditor(logs, logs.attributes, logs.rowCount);
  }

  moveTo(row: number): void {
    this.row = row;
    this.moveToOrigin(this.logs.resource[row] as number, this.logs.scope[row] as number);
  }

  override finish(): void {
    super.finish();
    this.attributes.finish();
  }
}
