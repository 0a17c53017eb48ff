import { SignalboxError } from '../pipeline/signalbox-error.ts';

export interface InputPlace {
  /** Name of the request's parameter. */
  readonly parameter: string;
  /** UTF-16 offsets into the parameter's value. */
  readonly position?: { readonly start: number; readonly end: number } | undefined;
  readonly hint?: string | undefined;
}

/** A request that can never work as written, with the place that is wrong. */
export class QueryInputError extends SignalboxError {
  readonly parameter: string;
  readonly position: { readonly start: number; readonly end: number } | undefined;

  constructor(message: string, place: InputPlace) {
    super('invalid_argument', message, place.hint === undefined ? {} : { hint: place.hint });
    this.parameter = place.parameter;
    this.position = place.position;
  }
}
