import { expect, test } from 'vitest';
import { traceqlMistake, traceqlOf } from './traceql-text.ts';

test('what the fields ask for is a spanset filter', () => {
  expect(traceqlOf({})).toBe('{ }');
  const text = traceqlOf({
    service: 'shop "x"',
    operation: 'GET /',
    min: '250ms',
    max: '2s',
    status: 'ERROR',
    kind: 'SERVER',
    rootOnly: 'true',
    filter: [
      'http.response.status_code >= 500',
      'resource.deployment.slot = blue',
      'scope.name = "a"',
      'user.id = u-42',
      'cache.hit = true',
      'db.system.name exists',
      'x !exists',
      'span:duration > 1s',
      'span:name =~ "GET.*"',
    ],
  });
  expect(text).toBe(
    '{ resource.service.name = "shop \\"x\\"" && span:name = "GET /" && span:duration >= 250ms && span:duration <= 2s' +
      ' && span:status = error && span:kind = server && nestedSetParent < 0 && .http.response.status_code >= 500' +
      ' && resource.deployment.slot = "blue" && instrumentation.name = "a" && .user.id = "u-42" && .cache.hit = true' +
      ' && .db.system.name != nil && .x = nil && span:duration > 1s && span:name =~ "GET.*" }',
  );
  expect(traceqlMistake(text)).toBeUndefined();
});

test('a mistake has its place', () => {
  expect(traceqlMistake('{ status = eror }')?.position).toEqual({ start: 11, end: 15 });
  expect(traceqlMistake('{ } | rate()')?.message).toContain('time series');
  expect(traceqlMistake('{ status = error } >> { kind = client }')).toBeUndefined();
});
