import { expect, test } from 'vitest';
import { redisQueryText } from './redis-query-text.ts';

test.each<[string, string[], string]>([
  ['get', ['user:1'], 'GET user:1'],
  ['auth', ['me', 'secret'], 'AUTH ? ?'],
  ['hello', ['3', 'AUTH', 'me', 'secret'], 'HELLO ? ? ? ?'],
  ['acl', ['SETUSER', 'me', '>secret'], 'ACL SETUSER ? ?'],
  ['config', ['SET', 'requirepass', 'secret'], 'CONFIG SET requirepass ?'],
  // The client takes these for commands that only read or remove, and hands on all of their arguments.
  ['lrem', ['list', '0', 'value'], 'LREM list 0 ?'],
  ['srem', ['set', 'value'], 'SREM set ?'],
  ['smove', ['a', 'b', 'value'], 'SMOVE a b ?'],
  ['sismember', ['sessions', 'token'], 'SISMEMBER sessions ?'],
  ['function', ['LOAD', 'code'], 'FUNCTION LOAD ?'],
])('%s %j', (command, args, text) => expect(redisQueryText(command, args)).toBe(text));
