import { ProtobufReader } from '@signalbox/otlp';
import { fields, int64, message, text } from '../protobuf-fields.ts';
import { decoding, ProtocolDecodeError } from '../protocol-decode-error.ts';
import { decodeSnappy } from '../snappy/decode-snappy.ts';

/** `prometheus.Query`. */
export interface RemoteReadQuery {
  /** In ms since 1970, both included. */
  readonly startMs: number;
  readonly endMs: number;
  readonly matchers: readonly { readonly name: string; readonly operator: MatchOperator; readonly value: string }[];
}

/** By their numbers in `prometheus.LabelMatcher.Type`. */
const OPERATORS = ['=', '!=', '=~', '!~'] as const;
type MatchOperator = (typeof OPERATORS)[number];

/** By their numbers in `prometheus.ReadRequest.ResponseType`. */
export const RemoteReadResponseType = { Samples: 0, StreamedXorChunks: 1 } as const;

/** There are two. */
const MAX_ACCEPTED_TYPES = 16;

export interface RemoteReadRequest {
  readonly queries: readonly RemoteReadQuery[];
  /** Numbers of RemoteReadResponseType, best first; none: `Samples`. */
  readonly acceptedTypes: readonly number[];
}

/**
 * Reads the body of a remote read (https://prometheus.io/docs/prometheus/latest/querying/remote_read_api/): `prometheus.ReadRequest` in a
 * Snappy block. Hints are only hints, and left out. Throws ProtocolDecodeError.
 */
export function decodeRemoteRead(body: Uint8Array, maxBytes: number): RemoteReadRequest {
  return decoding('remote read', () => {
    const reader = new ProtobufReader(decodeSnappy(body, maxBytes));
    const queries: RemoteReadQuery[] = [];
    const acceptedTypes: number[] = [];
    const end = reader.bytes.length;
    const accept = (type: number): void => {
      if (acceptedTypes.push(type) <= MAX_ACCEPTED_TYPES) return;
      throw new ProtocolDecodeError(`remote read: more than ${MAX_ACCEPTED_TYPES} types of answers are accepted`);
    };
    fields(reader, end, (tag) => {
      if (tag === 0x0a) queries.push(readQuery(reader, end));
      else if (tag === 0x10) accept(reader.uint32());
      else if (tag === 0x12) {
        const listEnd = reader.delimited(end);
        while (reader.position < listEnd) accept(reader.uint32());
        reader.endMessage(listEnd);
      } else return false;
      return true;
    });
    return { queries, acceptedTypes };
  });
}

function readQuery(reader: ProtobufReader, messageEnd: number): RemoteReadQuery {
  const query = { startMs: 0, endMs: 0, matchers: [] as RemoteReadQuery['matchers'][number][] };
  message(reader, messageEnd, (tag, end) => {
    if (tag === 0x08) query.startMs = int64(reader);
    else if (tag === 0x10) query.endMs = int64(reader);
    else if (tag === 0x1a) query.matchers.push(readMatcher(reader, end));
    else return false;
    return true;
  });
  return query;
}

function readMatcher(reader: ProtobufReader, messageEnd: number): RemoteReadQuery['matchers'][number] {
  const matcher = { name: '', type: 0, value: '' };
  message(reader, messageEnd, (tag, end) => {
    if (tag === 0x08) matcher.type = reader.uint32();
    else if (tag === 0x12) matcher.name = text(reader, end);
    else if (tag === 0x1a) matcher.value = text(reader, end);
    else return false;
    return true;
  });
  const operator = OPERATORS[matcher.type];
  if (operator === undefined) throw new ProtocolDecodeError(`remote read: there is no matcher of type ${matcher.type}`);
  return { name: matcher.name, operator, value: matcher.value };
}
