import { AttributeEditor, type SpanBatch } from '@signalbox/records';
import { RecordCursor } from './record-cursor.ts';

/** A span, or an event of a span. */
export class SpanCursor extends RecordCursor {
  readonly spans: SpanBatch;
  readonly attributes: AttributeEditor;
  readonly eventAttributes: AttributeEditor;
  row = 0;
  /** An entry of the event table. */
  event = 0;

  constructor(spans: SpanBatch) {
    super(spans);
    this.spans = spans;
    this.attributes = new AttributeEditor(spans, spans.attributes, spans.rowCount);
    this.eventAttributes = new AttributeEditor(spans, spans.events.attributes, spans.events.count);
  }

  moveTo(row: number): void {
    this.row = row;
    this.moveToOrigin(this.spans.resource[row] as number, this.spans.scope[row] as number);
  }

  moveToEvent(row: number, event: number): void {
    this.moveTo(row);
    this.event = event;
  }

  override finish(): void {
    super.finish();
    this.attributes.finish();
    this.eventAttributes.finish();
  }
}
