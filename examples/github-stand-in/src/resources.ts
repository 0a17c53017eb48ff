import type { Item, Json, RepositoryData } from './repository-data.ts';

/** What a path answers: one object, or a list that is shown in pages (under `wrapper` where GitHub wraps it with a total). */
export type Resource = { object: Json } | { list: Item[]; wrapper?: string };

type Finder = (data: RepositoryData, parameter: string, query: URLSearchParams) => Resource | null;

const byKey =
  (list: (data: RepositoryData) => Item[], key: string): Finder =>
  (data, parameter) => {
    const found = list(data).find((item) => String(item[key]) === parameter);
    return found ? { object: found } : null;
  };

const byState = (list: Item[], query: URLSearchParams): Item[] => {
  const state = query.get('state') ?? 'open';
  return state === 'all' ? list : list.filter((item) => item.state === state);
};

const ifPull =
  (answer: (data: RepositoryData) => Item[]): Finder =>
  (data, number) =>
    data.pulls.some((pull) => String(pull.number) === number) ? { list: answer(data) } : null;

/** Paths below `/repos/{owner}/{name}`; `*` stands for one segment. */
const routes: readonly (readonly [pattern: string, find: Finder])[] = [
  ['', ({ repository }) => ({ object: repository })],
  ['pulls', ({ pulls }, _, query) => ({ list: byState(pulls, query) })],
  ['pulls/*', byKey((data) => data.pulls, 'number')],
  ['pulls/*/commits', ifPull(({ commits }) => commits.slice(0, 4))],
  ['pulls/*/comments', ifPull(({ comments }) => comments.slice(0, 5))],
  ['pulls/*/reviews', ifPull(({ comments }) => comments.slice(5, 8))],
  // GitHub counts a pull request as an issue too.
  ['issues', ({ issues, pulls }, _, query) => ({ list: byState([...issues, ...pulls], query) })],
  ['issues/*', byKey((data) => [...data.issues, ...data.pulls], 'number')],
  ['issues/*/comments', ({ comments }) => ({ list: comments })],
  [
    'actions/runs',
    ({ runs }, _, query) => ({
      list: runs.filter(
        (run) =>
          (!query.has('status') || [run.status, run.conclusion].includes(query.get('status') ?? '')) &&
          (!query.has('branch') || run.head_branch === query.get('branch')),
      ),
      wrapper: 'workflow_runs',
    }),
  ],
  ['actions/runs/*', byKey((data) => data.runs, 'id')],
  ['actions/workflows', ({ workflows }) => ({ list: workflows, wrapper: 'workflows' })],
  [
    'actions/workflows/*/runs',
    ({ runs }, id) => ({ list: runs.filter((run) => String(run.workflow_id) === id), wrapper: 'workflow_runs' }),
  ],
  ['commits', ({ commits }) => ({ list: commits })],
  ['commits/*', byKey((data) => data.commits, 'sha')],
  ['releases', ({ releases }) => ({ list: releases })],
  ['releases/latest', ({ releases }) => ({ object: releases.find((release) => release.prerelease === false) ?? null })],
  ['releases/*', byKey((data) => data.releases, 'id')],
  ['branches', ({ branches }) => ({ list: branches })],
  ['branches/*', byKey((data) => data.branches, 'name')],
  ['contributors', ({ contributors }) => ({ list: contributors })],
];

/** Finds what `path` (below the repository, without a leading slash) names; null when there is no such thing. */
export function findResource(data: RepositoryData, path: string, query: URLSearchParams): Resource | null {
  const segments = path.split('/');
  for (const [pattern, find] of routes) {
    const wanted = pattern.split('/');
    if (wanted.length !== segments.length) continue;
    if (!wanted.every((part, index) => part === segments[index] || (part === '*' && segments[index] !== ''))) continue;
    return find(data, segments[wanted.indexOf('*')] ?? '', query);
  }
  return null;
}
