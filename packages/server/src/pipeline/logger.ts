/** Facts of a log line beside its words. No secrets, no records' content. */
export type LogFields = Readonly<Record<string, string | number | boolean | undefined>>;

/** Where the program says what happens to it. Levels as usual: `error` needs a person, `warn` may, `info` is a milestone. */
export interface Logger {
  debug(message: string, fields?: LogFields): void;
  info(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  /** @param error its message is spoken, its stack too unless it is a `SignalboxError` */
  error(message: string, error?: unknown, fields?: LogFields): void;
  /** The same with more fields on each line. */
  with(fields: LogFields): Logger;
}
