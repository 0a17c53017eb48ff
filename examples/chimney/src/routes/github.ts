import { trace } from '@opentelemetry/api';
import type { Logger } from 'pino';
import { GithubError } from '../github/github-error.ts';
import { githubRoute, toGithubPath } from '../github/github-path.ts';
import type { GithubProxy, Outcome } from '../github/github-proxy.ts';
import { rewriteLink } from '../github/rewrite-link.ts';
import type { Incoming } from '../http/incoming.ts';
import { empty, problem, type Reply } from '../http/reply.ts';
import type { Route } from '../http/router.ts';

/** `GET /api/github/*`: the repository's part of the GitHub API, behind the cache. */
export function githubRoutes(proxy: GithubProxy, repository: string, log: Logger): Route[] {
  const handle = async (incoming: Incoming): Promise<Reply> => {
    const path = toGithubPath(incoming.path, repository);
    trace.getActiveSpan()?.setAttribute('chimney.github_path', path);
    try {
      const outcome = await proxy.get(path, incoming.query);
      if (outcome.from === 'cache' && outcome.stale) log.warn({ path, error: outcome.stale.message }, 'stale answer');
      return toReply(outcome, incoming.headers['if-none-match']);
    } catch (error) {
      if (!(error instanceof GithubError)) throw error;
      log.warn({ path, error: error.message }, 'no answer from GitHub');
      const retry = error.retryAfterSeconds === null ? {} : { 'retry-after': String(error.retryAfterSeconds) };
      return { ...problem(error.status, error.message, retry), failure: error.message };
    }
  };
  return [{ method: 'GET', path: '/api/github/*', name: githubRoute, handle }];
}

function toReply(outcome: Outcome, ifNoneMatch: string | undefined): Reply {
  if (outcome.from === 'github-refusal') {
    const { status, contentType, body } = outcome.response;
    return { status, headers: { 'content-type': contentType, 'x-cache': 'miss' }, body };
  }
  const hit = outcome.from === 'cache';
  const entry = hit ? outcome.found.entry : outcome.entry;
  const headers: Record<string, string> = {
    'content-type': entry.contentType,
    'cache-control': `public, max-age=${Math.max(0, Math.round((entry.freshUntil - Date.now()) / 1000))}`,
    'x-cache': describe(outcome),
  };
  if (entry.etag) headers.etag = entry.etag;
  const link = entry.link ? rewriteLink(entry.link) : '';
  if (link) headers.link = link;
  if (hit && outcome.stale) {
    trace.getActiveSpan()?.setAttribute('chimney.cache_stale', true);
  }
  const cache = { hit, tier: hit ? outcome.found.tier : 'none' } as const;
  if (entry.etag && matches(ifNoneMatch, entry.etag)) {
    delete headers['content-type'];
    return { ...empty(304, headers), cache };
  }
  return { status: 200, headers, body: entry.body, cache };
}

function describe(outcome: Outcome): string {
  if (outcome.from === 'cache') return outcome.stale ? 'stale' : 'hit';
  return outcome.from === 'github' && outcome.revalidated ? 'revalidated' : 'miss';
}

/** RFC 9110 section 13.1.2: weak comparison with each member of the list. */
function matches(header: string | undefined, etag: string): boolean {
  if (header === undefined) return false;
  const bare = (tag: string) => tag.trim().replace(/^W\//, '');
  return header.trim() === '*' || header.split(',').some((tag) => bare(tag) === bare(etag));
}
