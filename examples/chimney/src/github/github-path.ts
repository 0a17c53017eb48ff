import { RequestError } from '../http/request-error.ts';

const prefix = '/api/github';

/** Paths below a repository that get a name of their own in telemetry; all others are `/api/github/*`, so that names stay few. */
const named = [
  '',
  'pulls',
  'pulls/{number}',
  'pulls/{number}/commits',
  'pulls/{number}/comments',
  'pulls/{number}/files',
  'pulls/{number}/reviews',
  'issues',
  'issues/{number}',
  'issues/{number}/comments',
  'actions/runs',
  'actions/runs/{run_id}',
  'actions/runs/{run_id}/jobs',
  'actions/workflows',
  'actions/workflows/{workflow_id}/runs',
  'commits',
  'commits/{ref}',
  'releases',
  'releases/latest',
  'releases/{release_id}',
  'branches',
  'branches/{branch}',
  'contributors',
  'tags',
].map((route) => route.split('/'));

/**
 * `/api/github/pulls` to `/repos/{owner}/{name}/pulls`. Throws RequestError 400 for a path that could name anything outside the repository:
 * one with `.` or `..`, an empty segment, a slash, backslash, control character or percent sign in encoded form.
 */
export function toGithubPath(path: string, repository: string): string {
  const below = belowPrefix(path);
  return below === '' ? `/repos/${repository}` : `/repos/${repository}/${checkSegments(below)}`;
}

/** Checks what stands below the repository and returns it without a slash at the end. */
export function checkSegments(below: string): string {
  const segments = below.replace(/\/$/, '').split('/');
  for (const segment of segments) {
    let decoded: string;
    try {
      decoded = decodeURIComponent(segment);
    } catch {
      throw new RequestError(400, 'The path is not valid percent-encoding.');
    }
    // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is refused
    if (decoded === '' || decoded === '.' || decoded === '..' || /[/\\%\u0000-\u001f\u007f]/.test(decoded)) {
      throw new RequestError(400, 'The path leaves the repository.');
    }
  }
  return segments.join('/');
}

/** The low-cardinality route of a path, such as `/api/github/pulls/{number}`. */
export function githubRoute(path: string): string {
  const segments = belowPrefix(path).replace(/\/$/, '').split('/');
  const route = named.find(
    (parts) =>
      parts.length === segments.length &&
      parts.every((part, index) => part === segments[index] || (part.startsWith('{') && segments[index] !== '')),
  );
  if (!route) return `${prefix}/*`;
  return route[0] === '' ? prefix : `${prefix}/${route.join('/')}`;
}

function belowPrefix(path: string): string {
  return path.slice(prefix.length).replace(/^\//, '');
}
