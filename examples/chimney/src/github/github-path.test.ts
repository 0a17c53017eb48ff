import { expect, test } from 'vitest';
import { githubRoute } from './github-path.ts';
import { rewriteLink } from './rewrite-link.ts';

test.each([
  ['/api/github', '/api/github'],
  ['/api/github/', '/api/github'],
  ['/api/github/pulls', '/api/github/pulls'],
  ['/api/github/pulls/', '/api/github/pulls'],
  ['/api/github/pulls/17', '/api/github/pulls/{number}'],
  ['/api/github/pulls/17/commits', '/api/github/pulls/{number}/commits'],
  ['/api/github/actions/runs', '/api/github/actions/runs'],
  ['/api/github/releases/latest', '/api/github/releases/latest'],
  ['/api/github/releases/7', '/api/github/releases/{release_id}'],
  ['/api/github/something/else/entirely', '/api/github/*'],
])('the route of %s is %s', (path, route) => {
  expect(githubRoute(path)).toBe(route);
});

test('Link leads through chimney, by number or name, and nowhere else', () => {
  const github =
    '<https://api.github.com/repositories/1300192/issues?page=2>; rel="next", <https://api.github.com/repos/o/n/issues?a=1,2&page=7>; rel="last", <https://evil.example/x>; rel="first"';
  expect(rewriteLink(github)).toBe(
    '</api/github/issues?page=2>; rel="next", </api/github/issues?a=1,2&page=7>; rel="last"',
  );
  expect(rewriteLink('nonsense')).toBe('');
});
