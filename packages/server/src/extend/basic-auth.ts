import { createHash } from 'node:crypto';
import type { SettingsMap } from '../config/settings-map.ts';
import type { ExtensionFactory } from '../pipeline/component-factory.ts';
import type { RequestHeaders } from '../pipeline/extension.ts';
import { SignalboxError } from '../pipeline/signalbox-error.ts';
import { sameText } from './same-text.ts';
import { TokenFile } from './token-file.ts';

/** `basicauth`: names and passwords, for those who send to us (`htpasswd`) or when we send to others (`client_auth`). */
export const basicAuthFactory: ExtensionFactory = {
  kind: 'extension',
  type: 'basicauth',
  configure(settings) {
    const client = settings.optionalTable('client_auth');
    const htpasswd = settings.optionalTable('htpasswd');
    if ((client === null) === (htpasswd === null)) {
      throw settings.failHere('one of htpasswd (to check who sends) and client_auth (to say who we are) is required');
    }
    const own = client && `${client.string('username')}:${client.secret('password')}`;
    const inline = htpasswd === null ? [] : inlineLines(htpasswd);
    const filename = htpasswd?.string('file', null) ?? null;
    const file = filename === null ? null : new TokenFile(filename);
    return {
      create: () => ({
        start: async () => {
          file?.start();
          for (const line of file?.lines ?? [])
            checkLine(line, (message) => new SignalboxError('invalid_argument', message));
        },
        shutdown: async () => {},
        ...(own === null
          ? { serverAuthenticator: serverAuthenticator(() => [...inline, ...(file?.lines ?? [])]) }
          : {
              clientAuthenticator: {
                headers: () => ({ authorization: `Basic ${Buffer.from(own).toString('base64')}` }),
              },
            }),
      }),
    };
  },
};

function inlineLines(htpasswd: SettingsMap): string[] {
  const lines = (htpasswd.secret('inline', null) ?? '').split('\n').flatMap((line) => line.trim() || []);
  for (const line of lines) checkLine(line, (message) => htpasswd.fail('inline', message));
  return lines;
}

/** Slow hashes would let strangers keep the program busy: each request would cost what they are made to cost. */
function checkLine(line: string, fail: (message: string) => Error): void {
  if (!line.includes(':')) throw fail('a line of htpasswd is name:password');
  if (/:\$(2[abxy]|apr1|[156])\$/.test(line)) {
    throw fail(
      'passwords hashed with bcrypt, MD5 or crypt are not supported; write {SHA} hashes (htpasswd -s) or plain ones',
    );
  }
}

function serverAuthenticator(lines: () => readonly string[]) {
  return {
    challenge: 'Basic realm="signalbox"',
    authenticate({ authorization }: RequestHeaders) {
      const [, encoded] = /^basic (.+)$/i.exec(String(authorization ?? '')) ?? [];
      const given = Buffer.from(encoded ?? '', 'base64').toString();
      const colon = given.indexOf(':');
      const [name, password] = [given.slice(0, colon), given.slice(colon + 1)];
      const sha = `{SHA}${createHash('sha1').update(password).digest('base64')}`;
      const matches = lines().filter((line) => sameText(line, `${name}:${line.includes(':{SHA}') ? sha : password}`));
      if (colon < 0 || matches.length === 0) {
        throw new SignalboxError('unauthenticated', 'A name and its password are required');
      }
    },
  };
}
