import { Warnings } from '../warnings.ts';

/** Keeps what it is told instead of printing it. */
export class RecordedWarnings extends Warnings {
  readonly said: string[] = [];

  constructor() {
    super(false);
  }

  override always(message: string): void {
    this.said.push(message);
  }
}
