import { type DiagLogger, DiagLogLevel, diag } from '@opentelemetry/api';

const maxDistinctWarnings = 200;

/** One line per distinct message on standard error; silent when `OTEL_LOG_LEVEL` is `none`. */
export class Warnings {
  readonly #said = new Set<string>();
  readonly #silent: boolean;

  constructor(silent: boolean) {
    this.#silent = silent;
  }

  once(message: string): void {
    if (this.#said.has(message) || this.#said.size >= maxDistinctWarnings) return;
    this.#said.add(message);
    this.always(message);
  }

  always(message: string): void {
    // Not through console: the application may have redirected it into the very telemetry that is failing.
    if (!this.#silent) process.stderr.write(`signalbox: ${message.replaceAll(/\s*\n\s*/g, ' | ')}\n`);
  }
}

/** Whether `OTEL_LOG_LEVEL` says so, which counts for nothing beside a configuration file. */
export function isSilent(variables: Readonly<Record<string, string | undefined>>): boolean {
  const { OTEL_LOG_LEVEL: level, OTEL_CONFIG_FILE: file, OTEL_EXPERIMENTAL_CONFIG_FILE: oldFile } = variables;
  return level?.toLowerCase() === 'none' && !file && !oldFile;
}

const levels: Readonly<Record<string, DiagLogLevel>> = {
  none: DiagLogLevel.NONE,
  error: DiagLogLevel.ERROR,
  warn: DiagLogLevel.WARN,
  info: DiagLogLevel.INFO,
  debug: DiagLogLevel.DEBUG,
  verbose: DiagLogLevel.VERBOSE,
  all: DiagLogLevel.ALL,
};

/**
 * Routes the official packages' own diagnostics to `warnings`; `OTEL_LOG_LEVEL` chooses the level, `error` unless set:
 * what is only a warning to them (an attribute set after the client went away) happens all day in healthy services.
 */
export function installDiagLogger(warnings: Warnings, level: string | undefined): void {
  const say = (message: string, ...details: readonly unknown[]): void =>
    warnings.once(
      [message, ...details.map((detail) => (detail instanceof Error ? detail.message : String(detail)))].join(' '),
    );
  const logger: DiagLogger = { error: say, warn: say, info: say, debug: say, verbose: say };
  diag.setLogger(logger, {
    logLevel: levels[(level ?? 'error').toLowerCase()] ?? DiagLogLevel.ERROR,
    suppressOverrideMessage: true,
  });
}
