import { sep } from 'node:path';

const maxStackBytes = 4096;

export interface PinoPresetOptions {
  /** Say in `caller` which file and line logged, at some ten microseconds a line (default true). */
  readonly caller?: boolean;
}

/** The parts of pino's options that the preset sets, as `pino()` takes them. */
export interface PinoPreset {
  /** No `pid` and no `hostname`: the resource has them. */
  readonly base: Readonly<Record<string, never>>;
  readonly timestamp: () => string;
  readonly formatters: { readonly level: (label: string) => { level: string } };
  readonly serializers: { readonly err: (error: unknown) => unknown };
  readonly mixin?: () => { caller?: string };
}

/**
 * Options for pino that give lines the shape
 * `{"level":"info","timestamp":"2026-01-02T03:04:05.678Z","caller":"orders/create.ts:17","msg":…,"trace_id":…,"span_id":…}`; the ids
 * are added by the instrumentation. Errors under `err` have `type`, `message` and at most 4 KiB of `stack`. Spread them
 * into your own: `pino({ ...pinoPreset(), level: 'debug' })`.
 */
export function pinoPreset({ caller = true }: PinoPresetOptions = {}): PinoPreset {
  return {
    base: {},
    timestamp: () => `,"timestamp":"${new Date().toISOString()}"`,
    formatters: { level: (label) => ({ level: label }) },
    serializers: { err: serializeError },
    ...(caller && { mixin: callerField }),
  };
}

function serializeError(error: unknown): unknown {
  if (!(error instanceof Error)) return error;
  const stack = Buffer.from(error.stack ?? '');
  return { type: error.name, message: error.message, stack: stack.subarray(0, maxStackBytes).toString() };
}

/** The first frame that is neither here, nor in pino: folder, file and line, as zap's short caller. */
function callerField(): { caller?: string } {
  const limit = Error.stackTraceLimit;
  Error.stackTraceLimit = 12;
  const holder: { stack?: string } = {};
  Error.captureStackTrace(holder, callerField);
  Error.stackTraceLimit = limit;
  for (const line of (holder.stack ?? '').split('\n').slice(1)) {
    if (line.includes(`${sep}node_modules${sep}pino${sep}`) || line.includes('node:')) continue;
    const place = /\(?(?:file:\/\/)?([^()\s][^()]*):(\d+):\d+\)?$/.exec(
      line.replace(/^\s*at (?:.* )?(?=\()|^\s*at /, ''),
    );
    const path = place?.[1];
    if (path !== undefined) return { caller: `${path.split(/[\\/]/).slice(-2).join('/')}:${place?.[2]}` };
  }
  return {};
}
