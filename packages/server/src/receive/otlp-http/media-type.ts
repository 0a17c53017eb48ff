import type { OtlpEncoding } from '../otlp/export-service.ts';

/** Content types of OTLP/HTTP requests and of their answers. */
export const MEDIA_TYPES: Readonly<Record<OtlpEncoding, string>> = {
  json: 'application/json',
  protobuf: 'application/x-protobuf',
};

/**
 * The encoding that a `Content-Type` header names, in any case; parameters such as `charset` say nothing that OTLP
 * leaves open (JSON is UTF-8) and are passed over. Null: none that OTLP/HTTP knows.
 */
export function encodingOfContentType(header: string | undefined): OtlpEncoding | null {
  const mediaType = (header ?? '').split(';', 1)[0]?.trim().toLowerCase();
  switch (mediaType) {
    case MEDIA_TYPES.json:
      return 'json';
    case MEDIA_TYPES.protobuf:
      return 'protobuf';
    default:
      return null;
  }
}
