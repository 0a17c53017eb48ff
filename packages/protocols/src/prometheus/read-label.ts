import type { ProtobufReader } from '@signalbox/otlp';
import { message, text } from '../protobuf-fields.ts';
import type { LabelPair } from './prometheus-batch.ts';

/** Reads a label as remote write 1.0 and the protobuf exposition have it alike. */
export function readLabel(reader: ProtobufReader, messageEnd: number): LabelPair {
  let name = '';
  let value = '';
  message(reader, messageEnd, (tag, end) => {
    if (tag === 0x0a) name = text(reader, end);
    else if (tag === 0x12) value = text(reader, end);
    else return false;
    return true;
  });
  return [name, value];
}
