import type { HttpOptions, InstrumentationSwitches, StartOptions } from '../options.ts';
import type { Section } from './section.ts';

export interface DeclaredInstrumentations {
  readonly options: Pick<StartOptions, 'http' | 'switches' | 'console'>;
  /** Names of those that are off altogether. */
  readonly disabled: readonly string[];
  /** `host-metrics`, which is off unless it is enabled. */
  readonly measuresHost: boolean;
}

/**
 * `instrumentation/development`: of `general` the generation of the HTTP conventions; below `js`, by the names of our
 * instrumentations, `enabled`, `spans` and `metrics`. What is said to other languages is none of our business.
 */
export function readInstrumentations(section: Section | undefined): DeclaredInstrumentations {
  const general = section?.section('general');
  const disabled: string[] = [];
  const switches: Record<string, InstrumentationSwitches> = {};
  let printsLogs = false;
  let measuresHost = false;
  for (const [name, settings] of section?.section('js')?.all() ?? []) {
    const enabled = settings.boolean('enabled');
    if (enabled === false) disabled.push(name);
    if (name === 'host-metrics') measuresHost = enabled ?? false;
    const [spans, metrics] = [settings.boolean('spans'), settings.boolean('metrics')];
    if (spans !== undefined || metrics !== undefined)
      switches[name] = { ...(spans !== undefined && { spans }), ...(metrics !== undefined && { metrics }) };
    if (name === 'console') printsLogs = settings.boolean('export') ?? false;
  }
  for (const language of ['cpp', 'dotnet', 'erlang', 'go', 'java', 'php', 'python', 'ruby', 'rust', 'swift'])
    section?.section(language)?.skip();
  const http = general && readHttp(general);
  return { options: { ...(http && { http }), switches, console: { export: printsLogs } }, disabled, measuresHost };
}

function readHttp(general: Section): HttpOptions {
  const http = general.section('http');
  const semconv = http?.section('semconv');
  const isDual = semconv?.boolean('dual_emit');
  semconv?.boolean('experimental');
  if ((semconv?.integer('version', 0) ?? 1) !== 1) semconv?.unsupported('version', 'version 1 is emitted');
  for (const side of ['client', 'server']) {
    const settings = http?.section(side);
    for (const key of ['request_captured_headers', 'response_captured_headers', 'known_methods'])
      settings?.unsupported(key);
  }
  for (const other of ['code', 'db', 'gen_ai', 'messaging', 'rpc', 'sanitization']) general.unsupported(other);
  const optIn = general.text('stability_opt_in_list')?.split(',') ?? [];
  const both = isDual ?? optIn.some((entry) => entry.trim() === 'http/dup');
  return { conventions: both ? 'dup' : 'stable' };
}
