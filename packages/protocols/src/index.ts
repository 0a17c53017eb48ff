export { decodeLokiJson, decodeLokiProtobuf } from './loki/decode-push.ts';
export { ProtocolDecodeError } from './protocol-decode-error.ts';
export { decodeSnappy } from './snappy/decode-snappy.ts';
export { encodeSnappy } from './snappy/encode-snappy.ts';
