import type { ServerResponse } from 'node:http';
import { Session } from 'node:inspector/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ExtensionFactory } from '../pipeline/component-factory.ts';
import { SmallHttpServer } from '../pipeline/small-http-server.ts';

const MAX_SECONDS = 300;

/**
 * `pprof`: `GET /debug/pprof/profile?seconds=30` gives where the program spent its time meanwhile, as V8's CPU profile: for the
 * developer tools of browsers, or speedscope. One at a time.
 */
export const cpuProfileFactory: ExtensionFactory = {
  kind: 'extension',
  type: 'pprof',
  configure(settings) {
    const endpoint = settings.endpoint('endpoint', 'localhost:1777');
    return {
      create: ({ id, log }) => {
        const place = `endpoint of extension ${id}`;
        let running = false;
        const server = new SmallHttpServer({ endpoint, protocol: 'pprof', place }, (request, response) => {
          const url = new URL(request.url ?? '/', 'http://localhost');
          const seconds = Number(url.searchParams.get('seconds') ?? 30);
          if (url.pathname !== '/debug/pprof/profile')
            return say(response, 404, 'There is /debug/pprof/profile?seconds=30.');
          if (!(seconds > 0 && seconds <= MAX_SECONDS))
            return say(response, 400, `seconds: more than 0, at most ${MAX_SECONDS}`);
          if (running) return say(response, 409, 'A profile is being taken.');
          running = true;
          profile(seconds)
            .then(
              (taken) => {
                const name = 'attachment; filename="signalbox.cpuprofile"';
                response.writeHead(200, { 'content-type': 'application/json', 'content-disposition': name });
                response.end(JSON.stringify(taken));
              },
              (error: unknown) => {
                log.error('The profile could not be taken', error);
                say(response, 500, 'The profile could not be taken.');
              },
            )
            .finally(() => {
              running = false;
            });
        });
        return server;
      },
    };
  },
};

async function profile(seconds: number): Promise<unknown> {
  const session = new Session();
  session.connect();
  try {
    await session.post('Profiler.enable');
    await session.post('Profiler.start');
    await sleep(seconds * 1000);
    const { profile } = await session.post('Profiler.stop');
    return profile;
  } finally {
    session.disconnect();
  }
}

function say(response: ServerResponse, status: number, text: string): void {
  response.writeHead(status, { 'content-type': 'text/plain; charset=utf-8' }).end(`${text}\n`);
}
