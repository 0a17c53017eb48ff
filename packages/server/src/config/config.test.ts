import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { helpText, parseCommandLine } from './command-line.ts';
import { type ConfigFile, readConfigFile } from './config-file.ts';
import { loadConfig } from './load-config.ts';
import { optionNames } from './options.ts';
import { parseDuration, parseSize } from './values.ts';

function file(text: string): ConfigFile {
  const path = join(mkdtempSync(join(tmpdir(), 'signalbox-config-')), 'signalbox.yaml');
  writeFileSync(path, text);
  return readConfigFile(path, {}) as ConfigFile;
}

describe('settings', () => {
  test('have the defaults that the documentation names', () => {
    expect(loadConfig({}, {}, null)).toMatchObject({
      host: '127.0.0.1',
      port: 4319,
      'otlp-http-port': 4318,
      'otlp-grpc-port': 4317,
      'retention-traces': 7 * 86_400_000,
      'max-request-size': 64 * 1024 * 1024,
    });
  });

  test('flag goes before environment, environment before file', () => {
    const path = file('port: 1\notlp-http-port: 2\notlp-grpc-port: 3\n');
    const environment = { SIGNALBOX_PORT: '10', SIGNALBOX_OTLP_HTTP_PORT: '20' };
    const config = loadConfig({ port: '100' }, environment, path);
    expect([config.port, config['otlp-http-port'], config['otlp-grpc-port']]).toEqual([100, 20, 3]);
  });

  test('the file may be named by the environment, and lists may be YAML lists', () => {
    const { path } = file('cors-origins: [http://a, http://b]\n');
    const config = loadConfig({}, {}, readConfigFile(undefined, { SIGNALBOX_CONFIG: path }));
    expect(config['cors-origins']).toEqual(['http://a', 'http://b']);
  });

  test.each([
    ['prot: 1\n', /:1: prot: there is no such setting; did you mean "port"\?/],
    ['port: 99999\n', /:1: port: "99999" is not a port/],
    ['# comment\nretention-logs: soon\n', /:2: retention-logs: "soon" is not a duration/],
    ['port: [\n', /signalbox\.yaml:\d+:/],
    ['just text\n', /expected lines of "name: value"/],
  ])('the file %j is refused with its place', (text, message) => {
    expect(() => loadConfig({}, {}, file(text))).toThrow(message);
  });

  test('stand beside the sections of the Collector, which say nothing of them', () => {
    const both = file('port: 1\nreceivers: {otlp: }\nservice: {pipelines: {}}\n');
    expect(loadConfig({}, {}, both).port).toBe(1);
    expect([...(both.collector?.entries.keys() ?? [])]).toEqual(['receivers', 'service']);
    expect(file('port: 1\n').collector).toBeNull();
  });

  test.each([
    ['shutdown-timeout', '25d', /^--shutdown-timeout: "25d" is out of range; write 1ms to 24d/],
    ['query-timeout', '0s', /^--query-timeout: "0s" is out of range/],
    ['max-request-size', '5GiB', /^--max-request-size: "5GiB" is out of range; write 1KiB to 1GiB/],
  ])('%s of %s would not mean what it says', (name, text, message) => {
    expect(() => loadConfig({ [name]: text }, {}, null)).toThrow(message);
  });

  test('names the flag or the variable that is wrong', () => {
    expect(() => loadConfig({ 'max-size': 'big' }, {}, null)).toThrow(/^--max-size: "big" is not a size/);
    expect(() => loadConfig({}, { SIGNALBOX_PORT: 'x' }, null)).toThrow(/^SIGNALBOX_PORT: "x" is not a port/);
    expect(() => readConfigFile('/does/not/exist.yaml', {})).toThrow(/can't be read/);
  });
});

describe('command line', () => {
  test('reads flags in both forms, and commands', () => {
    expect(parseCommandLine(['--port', '1', '--host=::1'])).toEqual({
      kind: 'serve',
      flags: { port: '1', host: '::1' },
      configFile: undefined,
    });
    expect(parseCommandLine(['backup', '/b', '--config', 'f'])).toEqual({
      kind: 'backup',
      folder: '/b',
      flags: {},
      configFile: 'f',
    });
    expect(parseCommandLine(['-h'])).toEqual({ kind: 'help' });
  });

  test.each([
    [['--otlp-htp-port', '1'], /no option --otlp-htp-port; did you mean "otlp-http-port"/],
    [['--port'], /--port needs a value/],
    [['srve'], /no command "srve"/],
    [['backup'], /takes one folder/],
  ])('%j is refused', (args, message) => {
    expect(() => parseCommandLine(args)).toThrow(message);
  });

  test('the help names every setting', () => {
    for (const name of optionNames) expect(helpText()).toContain(`--${name} `);
  });
});

test('durations and sizes', () => {
  expect([parseDuration('1d12h'), parseDuration('500ms'), parseDuration('1.5s')]).toEqual([129_600_000, 500, 1500]);
  expect(() => parseDuration('7')).toThrow();
  expect(() => parseDuration('7 days')).toThrow();
  expect([parseSize('50GB'), parseSize('512MiB'), parseSize('10')]).toEqual([50e9, 536_870_912, 10]);
  expect(() => parseSize('ten')).toThrow();
});
