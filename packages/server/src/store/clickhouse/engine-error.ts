import { type ErrorCode, SignalboxError, type SignalboxErrorOptions } from '../../pipeline/signalbox-error.ts';

/** How long a sender waits before it tries again after the store could not write, in ms. */
export const STORE_RETRY_MS = 2_000;

interface Translation {
  readonly code: ErrorCode;
  readonly message: string;
  readonly retryable?: boolean;
  readonly retryAfterMs?: number;
}

/** ClickHouse's error numbers (ErrorCodes.cpp) that are not bugs of ours. */
const TRANSLATIONS: ReadonlyMap<number, Translation> = new Map([
  [158, { code: 'too_large', message: 'The query reads more rows than allowed' }],
  [159, { code: 'timeout', message: 'The query took longer than allowed' }],
  [160, { code: 'timeout', message: 'The query would take longer than allowed' }],
  [173, { code: 'resource_exhausted', message: 'The engine is out of memory', retryAfterMs: STORE_RETRY_MS }],
  [202, { code: 'resource_exhausted', message: 'Too many queries at once', retryAfterMs: STORE_RETRY_MS }],
  [209, { code: 'unavailable', message: 'The engine did not answer in time', retryAfterMs: STORE_RETRY_MS }],
  [210, { code: 'unavailable', message: 'The engine could not be reached', retryAfterMs: STORE_RETRY_MS }],
  [236, { code: 'unavailable', message: 'The engine is shutting down', retryAfterMs: STORE_RETRY_MS }],
  [241, { code: 'resource_exhausted', message: 'The memory limit was reached', retryAfterMs: STORE_RETRY_MS }],
  [242, { code: 'unavailable', message: 'The table is read-only', retryAfterMs: STORE_RETRY_MS }],
  [243, { code: 'unavailable', message: 'The disk is full', retryAfterMs: STORE_RETRY_MS }],
  [252, { code: 'resource_exhausted', message: 'Too many parts', retryAfterMs: STORE_RETRY_MS }],
  [307, { code: 'too_large', message: 'The query reads more bytes than allowed' }],
  [394, { code: 'cancelled', message: 'The query was cancelled' }],
  [396, { code: 'too_large', message: 'The result is larger than allowed' }],
  [516, { code: 'unauthenticated', message: 'ClickHouse refused the user or the password' }],
] satisfies [number, Translation][]);

/** An error of chdb, of `@clickhouse/client` or of the file system in our terms; what we don't know is a bug: `internal`. */
export function translateEngineError(error: unknown): SignalboxError {
  if (error instanceof SignalboxError) {
    return error;
  }
  const text = error instanceof Error ? error.message : String(error);
  const systemCode = (error as { code?: unknown } | null)?.code;
  if (isDiskFull(text, systemCode)) {
    return new SignalboxError('unavailable', 'The disk is full', { cause: error, retryAfterMs: STORE_RETRY_MS });
  }
  if (typeof systemCode === 'string' && NETWORK_CODES.has(systemCode)) {
    return new SignalboxError('unavailable', 'ClickHouse could not be reached', {
      cause: error,
      retryAfterMs: STORE_RETRY_MS,
    });
  }
  const translation = TRANSLATIONS.get(engineCode(error) ?? -1);
  if (translation === undefined) {
    return new SignalboxError('internal', 'The store failed', { cause: error });
  }
  const options: SignalboxErrorOptions = {
    cause: error,
    ...(translation.retryAfterMs === undefined ? {} : { retryAfterMs: translation.retryAfterMs }),
  };
  return new SignalboxError(translation.code, translation.message, options);
}

/** ClickHouse's number of an error, if it has one. */
export function engineCode(error: unknown): number | undefined {
  if (!(error instanceof Error)) {
    return undefined;
  }
  // @clickhouse/client has the number as `code`, chdb in the text.
  const code = (error as { code?: unknown }).code;
  if (typeof code === 'string' && /^\d+$/.test(code)) {
    return Number(code);
  }
  const match = /\bCode: (\d+)\./.exec(error.message);
  return match === null ? undefined : Number(match[1]);
}

/** Whether an error says that these rows can't be stored, rather than that nothing can be stored now. */
export function isAboutTheRows(error: SignalboxError): boolean {
  return error.code === 'internal' || error.code === 'too_large' || error.code === 'invalid_argument';
}

function isDiskFull(text: string, systemCode: unknown): boolean {
  return systemCode === 'ENOSPC' || systemCode === 'EDQUOT' || /errno: 28\b|No space left on device/.test(text);
}

const NETWORK_CODES = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'EPIPE',
  'ENOTFOUND',
  'ETIMEDOUT',
  'EAI_AGAIN',
  'EHOSTUNREACH',
]);
