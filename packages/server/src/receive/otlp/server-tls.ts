import { readFileSync } from 'node:fs';
import { loadTls, type ServerTls } from '../../config/tls-settings.ts';
import { SignalboxError } from '../../pipeline/signalbox-error.ts';

/** What `node:tls` needs to listen; null: plaintext. Throws `SignalboxError` when a file can't be read. */
export function openServerTls(tls: ServerTls | null) {
  if (tls === null) return null;
  try {
    const { ca, ...contents } = loadTls(tls);
    const clientCa = tls.clientCaFile === null ? null : readFileSync(tls.clientCaFile);
    // With an authority for clients, whoever has no certificate of it is cut off during the handshake.
    return clientCa === null
      ? { ...contents, ...(ca === undefined ? {} : { ca }) }
      : { ...contents, ca: clientCa, requestCert: true, rejectUnauthorized: true };
  } catch (error) {
    throw new SignalboxError('invalid_argument', `tls: ${(error as Error).message}`, { cause: error });
  }
}
