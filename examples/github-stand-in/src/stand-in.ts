import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Behaviour, calm, changeBehaviour, drawLatency } from './behaviour.ts';
import { paginate } from './paginate.ts';
import { Random } from './random.ts';
import { RateLimit } from './rate-limit.ts';
import { createRepositoryData, type Json } from './repository-data.ts';
import { findResource } from './resources.ts';

export type { Behaviour } from './behaviour.ts';

export interface StandInOptions {
  /** `owner/name` of the one repository there is. */
  repository: string;
  host?: string;
  /** 0 (the default) takes a free one. */
  port?: number;
  seed?: number;
  /** Number of pull requests; the other lists follow it. */
  size?: number;
  behaviour?: Partial<Behaviour>;
  /** Requests in a window with a token and without; the real ones are 5000 and 60 an hour. */
  limit?: { withToken?: number; withoutToken?: number; windowSeconds?: number };
}

/** One request as the stand-in saw it. */
export interface SeenRequest {
  path: string;
  headers: IncomingMessage['headers'];
  status: number;
}

export interface StandIn {
  /** What GITHUB_API_URL is set to. */
  url: string;
  /** The last 1000 requests, oldest first. */
  requests: SeenRequest[];
  behave(change: Partial<Behaviour>): void;
  /** Changes one pull request, one issue and one run, so that their lists get new ETags. */
  change(): void;
  close(): Promise<void>;
}

const repositoryId = 1_300_192;
const keptRequests = 1000;

/**
 * Starts a server that answers like the GitHub REST API for one repository: JSON lists with `Link` headers, weak ETags and 304 (which
 * leave the rate limit alone), `X-RateLimit-*`, 401, 403, 404 and 429 with GitHub's bodies, and as many errors and delays as it is told.
 */
export async function startStandIn(options: StandInOptions): Promise<StandIn> {
  const [owner, name, ...rest] = options.repository.split('/');
  if (!owner || !name || rest.length > 0) throw new RangeError(`"${options.repository}" is not owner/name.`);
  const random = new Random(options.seed ?? 1);
  const windowMs = (options.limit?.windowSeconds ?? 3600) * 1000;
  const limits = {
    token: new RateLimit(options.limit?.withToken ?? 5000, windowMs),
    anonymous: new RateLimit(options.limit?.withoutToken ?? 60, windowMs),
  };
  const requests: SeenRequest[] = [];
  let behaviour: Behaviour = { ...calm, ...options.behaviour };

  const server = createServer((request, response) => {
    answer(request, response).catch((error: unknown) => {
      console.error('stand-in:', error);
      response.destroy();
    });
  });
  server.listen(options.port ?? 0, options.host ?? '127.0.0.1');
  await once(server, 'listening');
  const url = `http://${options.host ?? '127.0.0.1'}:${(server.address() as AddressInfo).port}`;
  const size = options.size ?? 90;
  const data = createRepositoryData({ api: url, owner, name, id: repositoryId, size, now: Date.now(), random });
  let changedAt = Date.now();

  function change(): void {
    const now = `${new Date().toISOString().slice(0, 19)}Z`;
    for (const list of [data.pulls, data.issues, data.runs]) {
      const item = list[random.integer(0, Math.min(19, list.length - 1))];
      if (item) item.updated_at = now;
      if (item && typeof item.comments === 'number') item.comments += 1;
      if (item && typeof item.run_attempt === 'number') item.run_attempt += 1;
    }
  }

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const address = new URL(request.url ?? '/', url);
    if (address.pathname === '/_stand-in/behaviour') return control(request, response);
    const seen: SeenRequest = { path: request.url ?? '/', headers: request.headers, status: 0 };
    requests.push(seen);
    if (requests.length > keptRequests) requests.shift();
    request.resume();

    const { changeEverySeconds } = behaviour;
    if (changeEverySeconds > 0 && Date.now() - changedAt > changeEverySeconds * 1000) {
      changedAt = Date.now();
      change();
    }
    const delay = drawLatency(behaviour, random);
    const breaks = random.chance(behaviour.resetRate);
    if (delay >= 1) await sleep(delay);
    if (breaks) {
      request.socket.destroy();
      return;
    }
    seen.status = respond(request, response, address);
  }

  /** Writes the answer and returns its status. */
  function respond(request: IncomingMessage, response: ServerResponse, address: URL): number {
    const limit = request.headers.authorization ? limits.token : limits.anonymous;
    const send = (status: number, body: Json | null, headers: Record<string, string> = {}): number => {
      const bytes = body === null ? '' : JSON.stringify(body);
      response.writeHead(status, {
        ...(body === null ? {} : { 'content-type': 'application/json; charset=utf-8' }),
        server: 'github.com',
        'x-github-media-type': 'github.v3; format=json',
        'x-github-request-id': `${random.hex(4)}:${random.hex(6)}:${random.hex(8)}`.toUpperCase(),
        ...limit.headers(),
        ...headers,
      });
      response.end(bytes);
      return status;
    };
    const documentation_url = 'https://docs.github.com/rest';
    const message = (status: number, text: string, headers?: Record<string, string>) =>
      send(status, { message: text, documentation_url, status: String(status) }, headers);

    if (request.method !== 'GET') return message(404, 'Not Found');
    if (!request.headers['user-agent']) return message(403, 'Request forbidden by administrative rules.');
    if (request.headers.authorization?.endsWith(' bad')) return message(401, 'Bad credentials');
    if (limit.exhausted) return message(403, 'API rate limit exceeded.');
    if (random.chance(behaviour.secondaryLimitRate)) {
      return message(429, 'You have exceeded a secondary rate limit.', { 'retry-after': '5' });
    }
    if (random.chance(behaviour.errorRate)) {
      const status = random.pick([500, 502, 502, 503]);
      return message(status, status === 500 ? 'Server Error' : 'Unicorn! GitHub is having a bad day.');
    }

    const path = repositoryPath(address.pathname, owner as string, name as string);
    const resource = path === null ? null : findResource(data, path, address.searchParams);
    if (resource === null) {
      limit.consume();
      return message(404, 'Not Found');
    }
    const listAddress = `${url}/repositories/${repositoryId}/${path}`;
    const page =
      'list' in resource
        ? paginate(resource.list, address.searchParams, listAddress, resource.wrapper)
        : { body: resource.object, link: null };
    const etag = `W/"${createHash('sha256').update(JSON.stringify(page.body)).digest('hex')}"`;
    const headers = {
      etag,
      'cache-control': 'public, max-age=60, s-maxage=60',
      vary: 'Accept,Accept-Encoding, Accept, X-Requested-With',
      ...(page.link ? { link: page.link } : {}),
    };
    if (matches(request.headers['if-none-match'], etag)) return send(304, null, headers);
    limit.consume();
    return send(200, page.body, headers);
  }

  async function control(request: IncomingMessage, response: ServerResponse): Promise<void> {
    let text = '';
    for await (const chunk of request) {
      text += String(chunk);
      if (text.length > 10_000) break;
    }
    try {
      if (request.method === 'PUT') behaviour = changeBehaviour(behaviour, JSON.parse(text));
      response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(behaviour));
    } catch (error) {
      response.writeHead(400, { 'content-type': 'text/plain' }).end(`${(error as Error).message}\n`);
    }
  }

  return {
    url,
    requests,
    behave: (changes) => {
      behaviour = changeBehaviour(behaviour, changes);
    },
    change,
    close: async () => {
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    },
  };
}

/** The part of a path below the repository, by its name or its number; null for any other path. */
function repositoryPath(path: string, owner: string, name: string): string | null {
  const match = /^\/(?:repos\/([^/]+)\/([^/]+)|repositories\/(\d+))(?:\/(.*))?$/.exec(path);
  if (!match) return null;
  const isOurs = match[3]
    ? Number(match[3]) === repositoryId
    : match[1]?.toLowerCase() === owner.toLowerCase() && match[2]?.toLowerCase() === name.toLowerCase();
  return isOurs ? decodeURIComponent(match[4] ?? '') : null;
}

/** RFC 9110 section 13.1.2: weak comparison with each member of the list. */
function matches(header: string | undefined, etag: string): boolean {
  if (!header) return false;
  const bare = (tag: string) => tag.trim().replace(/^W\//, '');
  return header.trim() === '*' || header.split(',').some((tag) => bare(tag) === bare(etag));
}
