import type { Random } from './random.ts';

export type Json = null | boolean | number | string | Json[] | { [key: string]: Json };
export interface Item {
  [key: string]: Json;
}

/** The lists of one repository, newest first, as the GitHub API shows them. */
export interface RepositoryData {
  repository: Item;
  pulls: Item[];
  issues: Item[];
  runs: Item[];
  workflows: Item[];
  commits: Item[];
  releases: Item[];
  branches: Item[];
  contributors: Item[];
  comments: Item[];
}

const people = ['ausra', 'bronius', 'danute', 'egle', 'jonas', 'kazys', 'laima', 'mindaugas', 'ona', 'rasa'] as const;
const verbs = ['Add', 'Fix', 'Remove', 'Rework', 'Document', 'Speed up', 'Test', 'Bound', 'Rename', 'Split'] as const;
const things = [
  'peer discovery over the relay',
  'key rotation',
  'the deploy workflow',
  'handshake retries',
  'the status page',
  'cache invalidation',
  'log rotation',
  'the route table',
  'the release notes',
  'memory use of the daemon',
] as const;
const labels = [
  ['bug', 'd73a4a'],
  ['documentation', '0075ca'],
  ['enhancement', 'a2eeef'],
  ['good first issue', '7057ff'],
  ['performance', 'fbca04'],
] as const;
const workflowNames = ['CI', 'Release', 'Deploy', 'CodeQL'] as const;

/** Builds the data of `owner/name`: `size` pulls and as many issues, twice as many workflow runs and commits. */
export function createRepositoryData(options: {
  api: string;
  owner: string;
  name: string;
  id: number;
  size: number;
  now: number;
  random: Random;
}): RepositoryData {
  const { api, owner, name, id, size, now, random } = options;
  const base = `${api}/repos/${owner}/${name}`;
  const html = `https://github.com/${owner}/${name}`;
  const hour = 3_600_000;
  const at = (age: number) => new Date(Math.floor((now - age) / 1000) * 1000).toISOString().replace('.000Z', 'Z');
  const user = (login: string): Item => ({
    login,
    id: 1000 + people.indexOf(login as (typeof people)[number]),
    avatar_url: `https://avatars.githubusercontent.com/${login}`,
    url: `${api}/users/${login}`,
    html_url: `https://github.com/${login}`,
    type: 'User',
    site_admin: false,
  });
  const sentence = () => `${random.pick(verbs)} ${random.pick(things)}`;
  const paragraph = () => Array.from({ length: random.integer(1, 5) }, () => `${sentence()}.`).join(' ');

  const repository: Item = {
    id,
    node_id: `R_${id}`,
    name,
    full_name: `${owner}/${name}`,
    private: false,
    owner: { ...user('ausra'), login: owner, type: 'Organization' },
    html_url: html,
    description: 'A WireGuard mesh that builds itself.',
    fork: false,
    url: base,
    created_at: at(900 * 24 * hour),
    updated_at: at(2 * hour),
    pushed_at: at(hour),
    stargazers_count: 214,
    watchers_count: 214,
    forks_count: 17,
    open_issues_count: size,
    language: 'Go',
    default_branch: 'main',
    license: { key: 'mit', name: 'MIT License', spdx_id: 'MIT' },
    topics: ['wireguard', 'mesh', 'vpn'],
    visibility: 'public',
  };
  const label = (): Item => {
    const [text, color] = random.pick(labels);
    return { id: 100 + labels.findIndex(([known]) => known === text), name: text, color, default: true };
  };
  const common = (kind: 'pull' | 'issues', number: number, age: number): Item => {
    const closed = random.chance(0.4);
    return {
      url: `${base}/${kind === 'pull' ? 'pulls' : 'issues'}/${number}`,
      id: 2_000_000 + number,
      html_url: `${html}/${kind}/${number}`,
      number,
      state: closed ? 'closed' : 'open',
      locked: false,
      title: sentence(),
      user: user(random.pick(people)),
      body: paragraph(),
      labels: random.chance(0.6) ? [label()] : [],
      comments: random.integer(0, 12),
      created_at: at(age),
      updated_at: at(age * random.next()),
      closed_at: closed ? at(age * 0.2) : null,
      author_association: 'CONTRIBUTOR',
    };
  };

  const commits = Array.from({ length: size * 2 }, (_, index): Item => {
    const sha = random.hex(40);
    const author = random.pick(people);
    const date = at(index * 5 * hour + random.next() * hour);
    return {
      sha,
      node_id: `C_${sha.slice(0, 12)}`,
      url: `${base}/commits/${sha}`,
      html_url: `${html}/commit/${sha}`,
      author: user(author),
      committer: user(author),
      commit: {
        message: `${sentence()}\n\n${paragraph()}`,
        author: { name: author, email: `${author}@example.org`, date },
        committer: { name: author, email: `${author}@example.org`, date },
        tree: { sha: random.hex(40), url: `${base}/git/trees/${sha}` },
        comment_count: 0,
      },
      parents: [],
    };
  });
  const sha = () => String(random.pick(commits).sha);
  const pulls = Array.from({ length: size }, (_, index): Item => {
    const pull = common('pull', size * 2 - index * 2, (index + 1) * 9 * hour);
    const branch = `${random.pick(['feature', 'fix', 'docs'])}-${random.hex(5)}`;
    return {
      ...pull,
      draft: random.chance(0.1),
      merged_at: pull.state === 'closed' && random.chance(0.8) ? (pull.closed_at ?? null) : null,
      merge_commit_sha: sha(),
      head: { label: `${owner}:${branch}`, ref: branch, sha: sha(), repo: repository },
      base: { label: `${owner}:main`, ref: 'main', sha: sha(), repo: repository },
      requested_reviewers: [user(random.pick(people))],
    };
  });
  const issues = Array.from({ length: size }, (_, index) =>
    common('issues', size * 2 - 1 - index * 2, (index + 1) * 11 * hour),
  );
  const workflows = workflowNames.map(
    (workflow, index): Item => ({
      id: 500 + index,
      name: workflow,
      path: `.github/workflows/${workflow.toLowerCase()}.yml`,
      state: 'active',
      url: `${base}/actions/workflows/${500 + index}`,
    }),
  );
  const runs = Array.from({ length: size * 2 }, (_, index): Item => {
    const workflow = random.pick(workflows);
    const runId = 9_000_000_000 - index;
    const age = index * 3 * hour + random.next() * hour;
    return {
      id: runId,
      name: workflow.name ?? '',
      head_branch: random.chance(0.5) ? 'main' : `feature-${random.hex(5)}`,
      head_sha: sha(),
      path: workflow.path ?? '',
      display_title: sentence(),
      run_number: size * 2 - index,
      event: random.pick(['push', 'pull_request', 'schedule']),
      status: 'completed',
      conclusion: random.chance(0.85) ? 'success' : 'failure',
      workflow_id: workflow.id ?? 0,
      url: `${base}/actions/runs/${runId}`,
      html_url: `${html}/actions/runs/${runId}`,
      created_at: at(age),
      updated_at: at(age * 0.95),
      run_started_at: at(age),
      run_attempt: 1,
      actor: user(random.pick(people)),
    };
  });
  const releases = Array.from({ length: Math.max(3, Math.floor(size / 8)) }, (_, index): Item => {
    const tag = `v0.${30 - index}.0`;
    return {
      id: 7000 - index,
      url: `${base}/releases/${7000 - index}`,
      html_url: `${html}/releases/tag/${tag}`,
      tag_name: tag,
      target_commitish: 'main',
      name: tag,
      draft: false,
      prerelease: index === 0,
      created_at: at(index * 200 * hour),
      published_at: at(index * 200 * hour),
      author: user(random.pick(people)),
      assets: [],
      body: paragraph(),
    };
  });
  const branches = ['main', 'next', 'gh-pages'].map(
    (branch): Item => ({
      name: branch,
      commit: { sha: sha(), url: `${base}/commits/${branch}` },
      protected: branch === 'main',
    }),
  );
  const contributors = people.map((login): Item => ({ ...user(login), contributions: random.integer(3, 400) }));
  const comments = Array.from(
    { length: 12 },
    (_, index): Item => ({
      id: 40_000 + index,
      body: paragraph(),
      user: user(random.pick(people)),
      created_at: at(index * hour),
      updated_at: at(index * hour),
    }),
  );
  return { repository, pulls, issues, runs, workflows, commits, releases, branches, contributors, comments };
}
