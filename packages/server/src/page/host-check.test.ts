import { expect, test } from 'vitest';
import { HostCheck } from './host-check.ts';

const check = new HostCheck(['Signals.example.com']);

test.each([
  '127.0.0.1:4319',
  '127.0.0.1',
  'localhost:1',
  'LOCALHOST',
  'box.localhost:80',
  '[::1]:4319',
  '192.168.1.5:4319',
  'signals.example.com:4319',
])('%s is ours', (host) => expect(check.allows(host)).toBe(true));

test.each([
  'evil.example',
  'evil.example:4319',
  '127.0.0.1.evil.example',
  'localhost.evil.example',
  'localhost@evil.example',
  '',
  undefined,
  '[::1',
  'a b',
])('%s is a stranger', (host) => expect(check.allows(host)).toBe(false));

test('* allows any name', () => expect(new HostCheck(['*']).allows('anything.example')).toBe(true));
