import type { SettingsMap, SettingText } from '../config/settings-map.ts';
import { type ClientTls, readClientTls } from '../config/tls-settings.ts';

/** What every exporter that calls out over the network reads. */
export interface ClientSettings {
  readonly tls: ClientTls;
  /** Names in lower case. */
  readonly headers: ReadonlyMap<string, string>;
  readonly compression: 'gzip' | 'none';
  /** An extension that says who we are. */
  readonly authenticator: SettingText | null;
}

/** Reads `tls`, `headers`, `compression` and `auth`. */
export function readClientSettings(settings: SettingsMap): ClientSettings {
  const headers = settings.stringMap('headers', { secret: true });
  return {
    tls: readClientTls(settings.table('tls')),
    headers: new Map(Array.from(headers, ([name, value]) => [name.toLowerCase(), value])),
    compression: settings.choice('compression', ['gzip', 'none', ''], 'gzip') === 'gzip' ? 'gzip' : 'none',
    authenticator: settings.optionalTable('auth')?.text('authenticator') ?? null,
  };
}
