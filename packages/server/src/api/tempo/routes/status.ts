import { get, type TempoRoute } from '../tempo-route.ts';

/** The Tempo whose API and language this is: clients decide by it what they may ask. */
const tempoVersion = '2.9.0';

export function statusRoutes(version: string): readonly TempoRoute[] {
  return [
    get('api/echo', () => ({ text: 'echo' })),
    get('ready', () => ({ text: 'ready\n' })),
    get('api/status/buildinfo', () => ({
      json: () => ({
        version: tempoVersion,
        revision: version,
        branch: '',
        buildUser: '',
        buildDate: '',
        goVersion: '',
      }),
    })),
  ];
}
