/** A template that can't be parsed or executed; `message` is for the person who wrote it, with the line in the template. */
export class TemplateError extends Error {
  override readonly name = 'TemplateError';
}
