export { decodeLokiJson, decodeLokiProtobuf } from './loki/decode-push.ts';
export { encodeLokiPush } from './loki/encode-push.ts';
export { type DefaultLabels, type LokiStream, lokiStreams } from './loki/log-streams.ts';
export { decodeExposition } from './prometheus/decode-exposition.ts';
export {
  decodeRemoteRead,
  type RemoteReadQuery,
  type RemoteReadRequest,
  RemoteReadResponseType,
} from './prometheus/decode-remote-read.ts';
export {
  type DecodedRemoteWrite,
  decodeRemoteWrite,
  type RemoteWriteVersion,
} from './prometheus/decode-remote-write.ts';
export { encodeChunkedRead } from './prometheus/encode-chunked-read.ts';
export { type EncodedSeries, encodeFamilyHead, encodeMetrics } from './prometheus/encode-exposition.ts';
export { encodeRemoteRead, type ReadHistogram, type ReadSeries } from './prometheus/encode-remote-read.ts';
export { encodeRemoteWrite } from './prometheus/encode-remote-write.ts';
export type { ExposedSample, Exposition } from './prometheus/exposition.ts';
export { emptyHistogram } from './prometheus/native-histogram.ts';
export { parseExposition } from './prometheus/parse-exposition.ts';
export { remoteSeries } from './prometheus/remote-write-series.ts';
export { type ScrapedSample, scrapedBatch } from './prometheus/scraped-batch.ts';
export {
  type PrometheusPoint,
  type PrometheusValue,
  type TranslateOptions,
  translateMetrics,
} from './prometheus/translate-metrics.ts';
export { type ExposedFamily, type ExposedSeries, writeExposition } from './prometheus/write-exposition.ts';
export { ProtocolDecodeError } from './protocol-decode-error.ts';
export { decodeSnappy } from './snappy/decode-snappy.ts';
export { encodeSnappy } from './snappy/encode-snappy.ts';
export { parseStatsdLine, type StatsdSample, type StatsdType } from './statsd/parse-statsd-line.ts';
export { decodeZipkin } from './zipkin/decode-zipkin.ts';
