import type { ExtensionFactory } from '../pipeline/component-factory.ts';
import type { RequestHeaders } from '../pipeline/extension.ts';
import { SignalboxError } from '../pipeline/signalbox-error.ts';
import { sameText } from './same-text.ts';
import { TokenFile } from './token-file.ts';

/** `bearertokenauth`: one of some tokens in a header, for those who send to us and when we send to others (the first one). */
export const bearerTokenAuthFactory: ExtensionFactory = {
  kind: 'extension',
  type: 'bearertokenauth',
  configure(settings) {
    const scheme = settings.string('scheme', 'Bearer');
    const header = settings.string('header', 'Authorization').toLowerCase();
    const token = settings.secret('token', null);
    const tokens = settings.secrets('tokens');
    const filename = settings.string('filename', null);
    if (token === null && tokens.length === 0 && filename === null) {
      throw settings.failHere('token, tokens or filename is required');
    }
    const file = filename === null ? null : new TokenFile(filename);
    const fixed = token === null ? tokens : [token];
    const accepted = () => (file === null ? fixed : file.lines);
    const written = (value: string) => (scheme === '' ? value : `${scheme} ${value}`);
    return {
      create: () => ({
        start: async () => file?.start(),
        shutdown: async () => {},
        clientAuthenticator: { headers: () => ({ [header]: written(accepted()[0] ?? '') }) },
        serverAuthenticator: {
          challenge: scheme || 'Bearer',
          authenticate(headers: RequestHeaders) {
            const given = headers[header];
            // All are compared, so that the time does not say which one was near.
            const matches = accepted().filter((known) => sameText(String(given ?? ''), written(known)));
            if (given === undefined || matches.length === 0) {
              throw new SignalboxError(
                'unauthenticated',
                given === undefined ? 'A token is required' : 'The token is wrong',
              );
            }
          },
        },
      }),
    };
  },
};
