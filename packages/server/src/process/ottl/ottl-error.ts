/** A statement or condition of OTTL that cannot be used. `position` is where in its text, in UTF-16 units. */
export class OttlError extends Error {
  override readonly name = 'OttlError';
  readonly text: string;
  readonly position: number;

  constructor(message: string, text: string, position: number) {
    super(`${message} at character ${position + 1} of: ${text}`);
    this.text = text;
    this.position = position;
  }
}

/** A statement met a value that it cannot work with. The component's `error_mode` decides what follows. */
export class OttlValueError extends Error {
  override readonly name = 'OttlValueError';
}
