import type { Component } from './component.ts';

/** Headers of a request, names in lower case. */
export type RequestHeaders = Readonly<Record<string, string | string[] | undefined>>;

/** Checks who sends. */
export interface ServerAuthenticator {
  /** Throws a `SignalboxError` (`unauthenticated`, `permission_denied`) when the sender may not. Takes the same time either way. */
  authenticate(headers: RequestHeaders): void;
  /** Value of `WWW-Authenticate` for an answer 401. */
  readonly challenge: string;
}

/** Says who we are. */
export interface ClientAuthenticator {
  /** Headers to send with each request, names in lower case. Asked for before each, so that they may change. */
  headers(): Readonly<Record<string, string>>;
}

export interface Extension extends Component {
  readonly serverAuthenticator?: ServerAuthenticator;
  readonly clientAuthenticator?: ClientAuthenticator;
  /** All components run. */
  onReady?(): void;
  /** The first component is about to stop. */
  onStopping?(): void;
}
