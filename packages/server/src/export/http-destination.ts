import type { SettingsMap } from '../config/settings-map.ts';
import { SignalboxError } from '../pipeline/signalbox-error.ts';
import { type HttpAnswer, retryAfterMs } from './http-client.ts';

/** Reads an address under `key`. */
export function readUrl(settings: SettingsMap, key: string): URL {
  const text = settings.string(key);
  if (!URL.canParse(text) || !/^https?:$/.test(new URL(text).protocol)) {
    throw settings.fail(key, `"${text}" is not an http:// or https:// address`);
  }
  return new URL(text);
}

/** The refusal of destinations that want to be asked again after 429 and all of 5xx, as Loki and Prometheus do. */
export function refusalOf(url: URL, { status, headers, body }: HttpAnswer): SignalboxError {
  const said = body.toString('utf8', 0, 500).trim();
  const wait = retryAfterMs(headers, Date.now());
  return new SignalboxError(
    status === 429 ? 'resource_exhausted' : status >= 500 ? 'unavailable' : 'invalid_argument',
    `${url.host} answered ${status}${said === '' ? '' : `: ${said}`}`,
    wait === undefined ? {} : { retryAfterMs: wait },
  );
}
