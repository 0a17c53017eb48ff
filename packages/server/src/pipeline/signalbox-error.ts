/** Status numbers of gRPC (`google.rpc.Code`). */
export const GrpcStatus = {
  Ok: 0,
  Cancelled: 1,
  Unknown: 2,
  InvalidArgument: 3,
  DeadlineExceeded: 4,
  NotFound: 5,
  PermissionDenied: 7,
  ResourceExhausted: 8,
  Unimplemented: 12,
  Internal: 13,
  Unavailable: 14,
  Unauthenticated: 16,
} as const;

export type GrpcStatus = (typeof GrpcStatus)[keyof typeof GrpcStatus];

interface ErrorCodeRow {
  /** `google.rpc.Code` for gRPC and for `google.rpc.Status` bodies. */
  readonly grpcStatus: GrpcStatus;
  /** HTTP status that an OTLP client understands. A protocol with other customs maps the code itself, at its edge. */
  readonly httpStatus: number;
  /** Whether the same request may succeed later, unless an error says otherwise. */
  readonly retryable: boolean;
}

/**
 * The closed table of error codes. OTLP decides the statuses (specification.md, "Failures" of OTLP/gRPC and OTLP/HTTP):
 * a client retries 429, 502, 503 and 504, and gRPC RESOURCE_EXHAUSTED only when it carries RetryInfo. So a body over
 * the size limit (`too_large`) and an overload (`resource_exhausted`) share a gRPC status and differ in RetryInfo.
 */
export const ERROR_CODES = {
  invalid_argument: { grpcStatus: GrpcStatus.InvalidArgument, httpStatus: 400, retryable: false },
  too_large: { grpcStatus: GrpcStatus.ResourceExhausted, httpStatus: 413, retryable: false },
  resource_exhausted: { grpcStatus: GrpcStatus.ResourceExhausted, httpStatus: 429, retryable: true },
  unavailable: { grpcStatus: GrpcStatus.Unavailable, httpStatus: 503, retryable: true },
  not_found: { grpcStatus: GrpcStatus.NotFound, httpStatus: 404, retryable: false },
  timeout: { grpcStatus: GrpcStatus.DeadlineExceeded, httpStatus: 503, retryable: true },
  cancelled: { grpcStatus: GrpcStatus.Cancelled, httpStatus: 499, retryable: true },
  unimplemented: { grpcStatus: GrpcStatus.Unimplemented, httpStatus: 404, retryable: false },
  unauthenticated: { grpcStatus: GrpcStatus.Unauthenticated, httpStatus: 401, retryable: false },
  permission_denied: { grpcStatus: GrpcStatus.PermissionDenied, httpStatus: 403, retryable: false },
  internal: { grpcStatus: GrpcStatus.Internal, httpStatus: 500, retryable: false },
} as const satisfies Record<string, ErrorCodeRow>;

export type ErrorCode = keyof typeof ERROR_CODES;

export interface SignalboxErrorOptions {
  /** Overrides the code's own answer to "may the same request succeed later?". */
  readonly retryable?: boolean;
  /** How long a sender should wait before it tries again, in milliseconds. Only spoken when the error is retryable. */
  readonly retryAfterMs?: number;
  readonly cause?: unknown;
  /** What the person who runs the program can do about it: a setting's name, a command. */
  readonly hint?: string;
  /**
   * The refusal concerns one destination alone (its queue is full): what others took must not be sent to them again on its account.
   */
  readonly isolated?: boolean;
}

/**
 * The one error class for what can go wrong outside of the program: bad requests, overload, a taken port, a full disk.
 * Its message may be shown to whoever sent the request: no secrets, no stack. A broken invariant is not one of these.
 */
export class SignalboxError extends Error {
  override readonly name = 'SignalboxError';
  readonly code: ErrorCode;
  readonly retryable: boolean;
  readonly retryAfterMs: number | undefined;
  readonly hint: string | undefined;
  readonly isolated: boolean;

  constructor(code: ErrorCode, message: string, options: SignalboxErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.retryable = options.retryable ?? ERROR_CODES[code].retryable;
    this.retryAfterMs = options.retryAfterMs;
    this.hint = options.hint;
    this.isolated = options.isolated ?? false;
  }

  get grpcStatus(): GrpcStatus {
    return ERROR_CODES[this.code].grpcStatus;
  }

  get httpStatus(): number {
    return ERROR_CODES[this.code].httpStatus;
  }
}

/**
 * The error as a `SignalboxError`: itself, `cancelled` for an abort, or `internal` (with the original as its cause) for
 * anything else. What an unexpected error says stays inside: senders read only that something failed.
 */
export function toSignalboxError(error: unknown): SignalboxError {
  if (error instanceof SignalboxError) {
    return error;
  }
  if (error instanceof Error && error.name === 'AbortError') {
    return new SignalboxError('cancelled', 'The request was cancelled', { cause: error });
  }
  return new SignalboxError('internal', 'Internal error', { cause: error });
}
