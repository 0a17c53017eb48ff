// biome-ignore-all lint/suspicious/noTemplateCurlyInString: variables as a configuration file has them
import { describe, expect, test } from 'vitest';
import { settingsOf } from '../pipeline/testing/component-context.ts';
import { readSettingNodes } from './setting-node.ts';

describe('a table of settings', () => {
  test('gives values by the type that is asked for, with defaults written as a user would', () => {
    const settings = settingsOf(
      'endpoint: tempo:4317\ntimeout: 1m30s\nqueue: 512MiB\nretry: {enabled: false, factor: 1.5}\nnames: [a, b]\none: c\n',
    );
    expect(settings.string('endpoint')).toBe('tempo:4317');
    expect(settings.duration('timeout', '5s')).toBe(90_000);
    expect(settings.duration('interval', '250ms')).toBe(250);
    expect(settings.duration('absent', null)).toBeNull();
    expect(settings.size('queue')).toBe(512 * 1024 * 1024);
    expect(settings.table('retry').boolean('enabled', true)).toBe(false);
    expect(settings.table('retry').number('factor')).toBe(1.5);
    expect(settings.strings('names')).toEqual(['a', 'b']);
    expect(settings.strings('one')).toEqual(['c']);
    expect(settings.optionalTable('tls')).toBeNull();
    expect(() => settings.finish()).not.toThrow();
  });

  test('a text keeps what the user wrote, also where YAML sees a number', () => {
    expect(settingsOf('version: 1.10\nkey: 007\n').string('version')).toBe('1.10');
    expect(settingsOf('"a": "x # y"').string('a')).toBe('x # y');
  });

  test.each([
    ['endpont: a\n', /^test\.yaml:1: component: "endpoint" is required; is "endpont" meant to be it\?/],
    ['endpoint: a\ncuont: 2\n', /^test\.yaml:2: component::cuont: there is no such key; did you mean "count"\? \(supp/],
    ['\nendpoint: [a]\n', /^test\.yaml:2: component::endpoint: expected one value/],
    ['endpoint: a\ntimeout: soon\n', /^test\.yaml:2: component::timeout: "soon" is not a duration/],
    ['endpoint: a\ntimeout: 5\n', /^test\.yaml:2: component::timeout: "5" is not a duration/],
    ['endpoint: a\ncount: 0\n', /^test\.yaml:2: component::count: "0" is out of range; write 1 to 10/],
    ['endpoint: a\ncount: 1.5\n', /^test\.yaml:2: component::count: "1.5" is not a whole number/],
    ['endpoint: a\nmode: upser\n', /^test\.yaml:2: component::mode: "upser" is not one of .*did you mean "upsert"/],
    ['endpoint: a\ntls:\n  insecur: true\n', /^test\.yaml:3: component::tls::insecur: .*did you mean "insecure"/],
    ['timeout: 1s\n', /^test\.yaml:1: component: "endpoint" is required/],
    ['just text\n', /^test\.yaml:1: component: expected lines/],
    ['endpoint: a\nendpoint: b\n', /^test\.yaml:2: Map keys must be unique/],
  ])('%j is refused with its place', (yaml, message) => {
    const read = () => {
      const settings = settingsOf(yaml);
      settings.string('endpoint');
      settings.duration('timeout', '5s');
      settings.integer('count', 1, { min: 1, max: 10 });
      settings.choice('mode', ['insert', 'upsert'], 'insert');
      settings.table('tls').boolean('insecure', false);
      settings.finish();
    };
    expect(read).toThrow(message);
  });

  test('lists of tables and named tables are checked like others', () => {
    const settings = settingsOf('actions:\n  - key: a\n  - key: b\n    acton: insert\n');
    expect(settings.tables('actions').map((action) => action.string('key'))).toEqual(['a', 'b']);
    expect(() => settings.finish()).toThrow(/test\.yaml:4: component::actions\[1\]::acton: there is no such key/);
  });

  test('effective shows defaults and hides secrets', () => {
    const settings = settingsOf('token: abc\nheaders: {authorization: Basic eA==}\nactions: [{key: a}]\n');
    settings.secret('token');
    settings.stringMap('headers', { secret: true });
    settings.duration('timeout', '5s');
    settings.string('ca_file', null);
    for (const action of settings.tables('actions')) action.string('key');
    expect(settings.effective()).toEqual({
      token: '[REDACTED]',
      headers: { authorization: '[REDACTED]' },
      timeout: '5s',
      actions: [{ key: 'a' }],
    });
  });
});

describe('variables', () => {
  const environment = { HOST: 'tempo', PORT: '4317', LIST: '[a, b]', EMPTY: '', NESTED: '${HOST}' };
  const value = (yaml: string) => settingsOf(`value: ${yaml}`, environment).value('value');

  // opentelemetry.io/docs/specs/otel/configuration/data-model, "Environment variable substitution", which the Collector follows.
  test.each([
    ['${env:HOST}', 'tempo'],
    ['${HOST}:${env:PORT}', 'tempo:4317'],
    ['${env:PORT}', 4317],
    ['"${env:MISSING:-x:-y}"', 'x:-y'],
    ['${env:MISSING:-5}', 5],
    ['${env:EMPTY:-full}', 'full'],
    ['a${env:MISSING}b', 'ab'],
    ['$${HOST}', '${HOST}'],
    ['${env:NESTED}', '${HOST}'],
    ['${env:LIST}', ['a', 'b']],
    ['$HOST', '$HOST'],
  ])('%s', (yaml, expected) => {
    expect(value(yaml)).toEqual(expected);
  });

  test.each([
    ['${file:/etc/passwd}', /test\.yaml:1: \$\{file:\/etc\/passwd\}: only variables of the environment/],
    ['${env:1A}', /"1A" is not the name of an environment variable/],
  ])('%s is refused', (yaml, message) => {
    expect(() => value(yaml)).toThrow(message);
  });
});

test('aliases and merge keys are followed, and those that multiply are refused', () => {
  const settings = settingsOf('base: &base {a: 1, b: 2}\nchild: {<<: *base, b: 3}\n');
  expect(settings.value('child')).toEqual({ a: 1, b: 3 });
  const bomb = ['a: &a [x,x,x,x,x,x,x,x,x,x]'];
  for (let i = 1; i < 9; i++) {
    const alias = `*${String.fromCharCode(96 + i)}`;
    bomb.push(`${String.fromCharCode(97 + i)}: &${String.fromCharCode(97 + i)} [${Array(10).fill(alias).join(',')}]`);
  }
  expect(() => readSettingNodes(bomb.join('\n'), 'bomb.yaml', {})).toThrow(/bomb\.yaml:\d+: too many values/);
});
