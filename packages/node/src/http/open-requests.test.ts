import { expect, test } from 'vitest';
import { type OpenRequest, OpenRequests } from './open-requests.ts';

class Request implements OpenRequest<Request> {
  readonly name: string;
  previous: Request | undefined;
  next: Request | undefined;
  isOpen = false;

  constructor(name: string) {
    this.name = name;
  }
}

const namesOf = (requests: OpenRequests<Request>): string => {
  const names: string[] = [];
  requests.forEach(({ name }) => void names.push(name));
  return names.join('');
};

test.each([
  ['a', 'cb'],
  ['b', 'ca'],
  ['c', 'ba'],
])('without %s there are %s', (gone, left) => {
  const requests = new OpenRequests<Request>();
  const all = ['a', 'b', 'c'].map((name) => new Request(name));
  for (const request of all) requests.add(request);
  expect(namesOf(requests)).toBe('cba');
  const [request] = all.filter(({ name }) => name === gone);
  expect(request && requests.delete(request)).toBe(true);
  expect(request && requests.delete(request)).toBe(false);
  expect(namesOf(requests)).toBe(left);
});

test('all can be deleted on the way through', () => {
  const requests = new OpenRequests<Request>();
  for (const name of ['a', 'b', 'c']) requests.add(new Request(name));
  const seen: string[] = [];
  requests.forEach((request) => {
    seen.push(request.name);
    requests.delete(request);
  });
  expect(seen).toEqual(['c', 'b', 'a']);
  expect(namesOf(requests)).toBe('');
});
