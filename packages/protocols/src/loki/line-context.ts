import { severityNumberOf } from './severity.ts';

/** What a log line says about itself besides its words. Empty texts: nothing. */
export interface LineContext {
  /** 32 hexadecimal digits. */
  traceId: string;
  /** 16 hexadecimal digits. */
  spanId: string;
  /** As written. */
  level: string;
}

/** Names under which loggers and agents write each, compared without case, `_`, `-` and `.`. */
const TRACE_ID_KEYS: ReadonlySet<string> = new Set(['traceid', 'oteltraceid']);
const SPAN_ID_KEYS: ReadonlySet<string> = new Set(['spanid', 'otelspanid']);
const LEVEL_KEYS: ReadonlySet<string> = new Set([
  'level',
  'lvl',
  'severity',
  'severitytext',
  'loglevel',
  'detectedlevel',
]);

/** Lines without any of these words need no closer look. */
const WORTH_A_LOOK = /trace[_.-]?id|span[_.-]?id|level|lvl|severity/i;
const LOGFMT_PAIR = /(?:^|[\s,])([\w.-]{1,40})=(?:"((?:[^"\\]|\\.)*)"|([^\s",]*))/g;
/** Longer lines are kept whole but not looked into. */
const MAX_LINE = 64 * 1024;

/** Takes what a pair of name and value says; false when it says nothing of interest. Values that are no ids are not taken. */
export function takePair(context: LineContext, key: string, value: string): boolean {
  const name = key.toLowerCase().replace(/[_.-]/g, '');
  if (TRACE_ID_KEYS.has(name)) {
    if (context.traceId !== '' || !isId(value, 32)) return false;
    context.traceId = value.toLowerCase();
    return true;
  }
  if (SPAN_ID_KEYS.has(name)) {
    if (context.spanId !== '' || !isId(value, 16)) return false;
    context.spanId = value.toLowerCase();
    return true;
  }
  if (LEVEL_KEYS.has(name)) {
    if (context.level !== '' || severityNumberOf(value) === 0) return false;
    context.level = value;
    return true;
  }
  return false;
}

/** Fills in what `context` does not know yet from a line in JSON (its top level) or logfmt. */
export function readLine(context: LineContext, line: string): void {
  if (line.length > MAX_LINE || !WORTH_A_LOOK.test(line)) return;
  if (/^\s*\{/.test(line)) {
    const parsed = parsedObject(line);
    if (parsed !== null) {
      for (const [key, value] of Object.entries(parsed)) {
        if (typeof value === 'string' || typeof value === 'number') takePair(context, key, String(value));
      }
      return;
    }
  }
  for (const [, key = '', quoted, bare = ''] of line.matchAll(LOGFMT_PAIR)) takePair(context, key, quoted ?? bare);
}

function parsedObject(line: string): object | null {
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? value : null;
  } catch (error) {
    // A line that only begins like JSON is a line like any other.
    if (error instanceof SyntaxError) return null;
    throw error;
  }
}

function isId(value: string, digits: number): boolean {
  return value.length === digits && /^[0-9a-f]+$/i.test(value) && !/^0+$/.test(value);
}
