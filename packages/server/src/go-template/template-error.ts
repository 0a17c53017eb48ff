/** A template that can't be parsed or executed; `message` is for the person who wrote it, with the line in the template. */
export class TemplateError extends Error {
  override readonly name = 'TemplateError';
}

/** A function was given more or fewer arguments than it takes. */
export class ArgumentCountError extends TemplateError {
  constructor(name: string, wanted: number | string, given: number) {
    super(`wrong number of args for ${name}: want ${wanted} got ${given}`);
  }
}
