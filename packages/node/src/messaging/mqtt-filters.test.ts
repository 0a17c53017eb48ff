import { expect, test } from 'vitest';
import { matchesTopic, parseFilter } from './mqtt-filters.ts';

/** The examples of the specification, MQTT 5.0 section 4.7. */
test.each([
  ['sport/tennis/player1/#', 'sport/tennis/player1', true],
  ['sport/tennis/player1/#', 'sport/tennis/player1/ranking', true],
  ['sport/tennis/player1/#', 'sport/tennis/player1/score/wimbledon', true],
  ['sport/#', 'sport', true],
  ['#', 'a/b', true],
  ['sport/tennis/+', 'sport/tennis/player1', true],
  ['sport/tennis/+', 'sport/tennis/player1/ranking', false],
  ['sport/+', 'sport', false],
  ['sport/+', 'sport/', true],
  ['+/+', '/finance', true],
  ['/+', '/finance', true],
  ['+', '/finance', false],
  ['#', '$SYS/uptime', false],
  ['+/monitor/Clients', '$SYS/monitor/Clients', false],
  ['$SYS/#', '$SYS/uptime', true],
  ['ACCOUNTS', 'Accounts', false],
])('%s and %s: %s', (pattern, topic, expected) => {
  expect(matchesTopic(pattern, topic)).toBe(expected);
});

test('a shared subscription has a group', () => {
  expect(parseFilter('$share/consumer1/sport/tennis/+')).toEqual({ pattern: 'sport/tennis/+', group: 'consumer1' });
  expect(parseFilter('sport/#')).toEqual({ pattern: 'sport/#', group: undefined });
});
