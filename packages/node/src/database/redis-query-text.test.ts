import { expect, test } from 'vitest';
import { redisKey, redisQueryText } from './redis-query-text.ts';

test.each<[string, string[], string, string]>([
  ['get', ['user:1'], 'GET user:1', 'GET ?'],
  ['auth', ['me', 'secret'], 'AUTH ? ?', 'AUTH ? ?'],
  ['hello', ['3', 'AUTH', 'me', 'secret'], 'HELLO ? ? ? ?', 'HELLO ? ? ? ?'],
  ['acl', ['SETUSER', 'me', '>secret'], 'ACL SETUSER ? ?', 'ACL SETUSER ? ?'],
  ['config', ['SET', 'requirepass', 'secret'], 'CONFIG SET requirepass ?', 'CONFIG SET ? ?'],
  // The client takes these for commands that only read or remove, and hands on all of their arguments.
  ['lrem', ['list', '0', 'value'], 'LREM list 0 ?', 'LREM ? ? ?'],
  ['srem', ['set', 'value'], 'SREM set ?', 'SREM ? ?'],
  ['smove', ['a', 'b', 'value'], 'SMOVE a b ?', 'SMOVE ? ? ?'],
  ['sismember', ['sessions', 'token'], 'SISMEMBER sessions ?', 'SISMEMBER ? ?'],
  ['function', ['LOAD', 'code'], 'FUNCTION LOAD ?', 'FUNCTION LOAD ?'],
])('%s %j', (command, args, withKeys, text) => {
  expect(redisQueryText(command, args, true)).toBe(withKeys);
  expect(redisQueryText(command, args, false)).toBe(text);
});

test.each<[string, string[], string | undefined]>([
  ['get', ['user:1'], 'user:1'],
  ['hget', ['user:1', 'name'], 'user:1'],
  ['ping', [], undefined],
  ['eval', ['return 1', '0'], undefined],
  ['config', ['GET', 'maxmemory'], undefined],
  ['auth', ['?'], undefined],
])('the key of %s %j is %s', (command, args, key) => expect(redisKey(command, args)).toBe(key));
