import { describe, expect, test } from 'vitest';
import { readForwarded } from './forwarded.ts';

describe('X-Forwarded-*', () => {
  const headers = {
    'x-forwarded-for': '203.0.113.9, 198.51.100.2, 10.0.0.1',
    'x-forwarded-host': 'shop.example:8443',
    'x-forwarded-proto': 'HTTPS',
  };

  test.each([
    [true, '203.0.113.9'],
    // What the one proxy in front saw; all before it is what the client sent.
    [1, '10.0.0.1'],
    [2, '198.51.100.2'],
    [9, '203.0.113.9'],
  ] as const)('with %s trusted proxies the client is %s', (trusted, client) => {
    expect(readForwarded(headers, trusted)).toEqual({ client, host: 'shop.example:8443', scheme: 'https' });
  });

  test('nothing but http and https is a scheme', () => {
    expect(readForwarded({ 'x-forwarded-proto': 'javascript' }, true)).toEqual({});
  });

  test.each([
    ['203.0.113.9:4711', '203.0.113.9'],
    ['[2001:db8::1]:4711', '2001:db8::1'],
    ['2001:db8::1', '2001:db8::1'],
  ])('the address of %s is %s', (node, client) => {
    expect(readForwarded({ 'x-forwarded-for': node }, 1)).toEqual({ client });
  });
});

// The examples of RFC 7239, sections 4 and 6.
describe('Forwarded', () => {
  test.each([
    ['for="_gazonk"', {}],
    ['For="[2001:db8:cafe::17]:4711"', { client: '2001:db8:cafe::17' }],
    ['for=192.0.2.60;proto=http;by=203.0.113.43', { client: '192.0.2.60', scheme: 'http' }],
    ['for=192.0.2.43, for=198.51.100.17', { client: '192.0.2.43' }],
    ['for=unknown;host=example.com', { host: 'example.com' }],
  ])('%s', (forwarded, expected) => {
    expect(readForwarded({ forwarded }, true)).toEqual(expected);
  });

  test('beats the older headers', () => {
    expect(readForwarded({ forwarded: 'for=192.0.2.43', 'x-forwarded-for': '203.0.113.9' }, 1)).toEqual({
      client: '192.0.2.43',
    });
  });
});
