/** A running Signalbox, as a hostile sender sees it. */
export interface HostileTarget {
  readonly host: string;
  readonly httpPort: number;
  readonly grpcPort: number;
  /** The target's limit of one request, in bytes. */
  readonly maxRequestBytes: number;
  /** How long an answer may take, in milliseconds. */
  readonly patienceMs: number;
}

/** One hostile request. */
export interface HostileRequest {
  /** What is wrong with it: `http truncated protobuf`. */
  readonly kind: string;
  /** Sends it; resolves with null when the target behaved as the protocol says, else with what it did instead. */
  send(target: HostileTarget): Promise<string | null>;
}
