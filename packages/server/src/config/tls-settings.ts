import { readFileSync } from 'node:fs';
import type { SettingsMap } from './settings-map.ts';

/** Files as the user named them; read when the component starts, so that a check of the configuration needs none of them. */
interface TlsFiles {
  readonly caFile: string | null;
  readonly certFile: string | null;
  readonly keyFile: string | null;
  readonly minVersion: TlsVersion;
}

type TlsVersion = 'TLSv1.2' | 'TLSv1.3';

export interface ClientTls extends TlsFiles {
  /** Plaintext. */
  readonly insecure: boolean;
  /** The server's certificate is not checked. */
  readonly skipVerify: boolean;
  readonly serverName: string | null;
}

export interface ServerTls extends TlsFiles {
  /** Clients must show a certificate of this authority (mTLS). */
  readonly clientCaFile: string | null;
}

/** The table `tls` of whoever calls out. */
export function readClientTls(settings: SettingsMap): ClientTls {
  return {
    insecure: settings.boolean('insecure', false),
    skipVerify: settings.boolean('insecure_skip_verify', false),
    serverName: settings.string('server_name_override', null),
    ...readFiles(settings),
  };
}

/** The table `tls` of whoever listens; null: plaintext. */
export function readServerTls(settings: SettingsMap | null): ServerTls | null {
  if (settings === null) return null;
  const tls = { clientCaFile: settings.string('client_ca_file', null), ...readFiles(settings) };
  if (tls.certFile === null || tls.keyFile === null) {
    throw settings.failHere('whoever listens with TLS needs cert_file and key_file');
  }
  return tls;
}

function readFiles(settings: SettingsMap): TlsFiles {
  const certFile = settings.string('cert_file', null);
  const keyFile = settings.string('key_file', null);
  if ((certFile === null) !== (keyFile === null)) {
    throw settings.failHere('cert_file and key_file belong together');
  }
  const version = settings.choice('min_version', ['1.2', '1.3'], '1.2');
  return { caFile: settings.string('ca_file', null), certFile, keyFile, minVersion: `TLSv${version}` };
}

/** What `node:tls` needs of files. */
export interface TlsContents {
  readonly ca?: Buffer;
  readonly cert?: Buffer;
  readonly key?: Buffer;
  readonly minVersion: TlsVersion;
}

/** Reads the files. Throws the file system's errors. */
export function loadTls({ caFile, certFile, keyFile, minVersion }: TlsFiles): TlsContents {
  return {
    ...(caFile === null ? {} : { ca: readFileSync(caFile) }),
    ...(certFile === null ? {} : { cert: readFileSync(certFile) }),
    ...(keyFile === null ? {} : { key: readFileSync(keyFile) }),
    minVersion,
  };
}
