import { type Bits56, parseBits56, printRandomness, printThreshold } from './threshold.ts';

/** The `ot` member of a W3C tracestate, which is where OpenTelemetry keeps what samplers did. Other members are kept as they are. */
export class OtTraceState {
  /** `th`; null: none, or one that breaks the rules. */
  threshold: Bits56 | null = null;
  /** `rv`; null: none, or one that breaks the rules. */
  randomness: Bits56 | null = null;
  readonly #otherFields: string[] = [];
  readonly #otherMembers: string[] = [];

  constructor(text: string) {
    let found = false;
    for (const member of text.split(',').map((part) => part.trim())) {
      if (member.startsWith('ot=') && !found) {
        found = true;
        this.#read(member.slice(3));
      } else if (member !== '') {
        this.#otherMembers.push(member);
      }
    }
  }

  /** The whole tracestate; a member that was changed stands first. */
  print(): string {
    const fields = [
      ...(this.threshold === null ? [] : [`th:${printThreshold(this.threshold)}`]),
      ...(this.randomness === null ? [] : [`rv:${printRandomness(this.randomness)}`]),
      ...this.#otherFields,
    ];
    return [...(fields.length === 0 ? [] : [`ot=${fields.join(';')}`]), ...this.#otherMembers].join(',');
  }

  #read(member: string): void {
    for (const field of member.split(';')) {
      if (field.startsWith('th:')) {
        this.threshold = parseBits56(field.slice(3), false);
      } else if (field.startsWith('rv:')) {
        this.randomness = parseBits56(field.slice(3), true);
      } else if (field !== '') {
        this.#otherFields.push(field);
      }
    }
  }
}
