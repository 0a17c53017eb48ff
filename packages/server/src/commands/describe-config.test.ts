import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { componentFactories } from '../component-factories.ts';
import { type ConfigFile, readConfigFile } from '../config/config-file.ts';
import { loadConfig } from '../config/load-config.ts';
import { graphInForce } from '../graph/graph-in-force.ts';
import { storeExporterFactory } from '../store-exporter.ts';
import { describeConfig } from './describe-config.ts';

function print(file: ConfigFile | null, flags = {}): string {
  const config = loadConfig({ data: '/data', ...flags }, {}, file);
  const factories = [...componentFactories, storeExporterFactory(() => null)];
  return describeConfig('print', config, file, graphInForce(config, file, factories));
}

function fileOf(text: string): ConfigFile {
  const path = join(mkdtempSync(join(tmpdir(), 'signalbox-config-')), 'c.yaml');
  writeFileSync(path, text);
  return readConfigFile(path, {}) as ConfigFile;
}

test('what is printed without a file is the default pipelines, hides passwords, and means the same as a file', () => {
  const printed = print(null, { 'clickhouse-password': 'hunter2', 'otlp-http-port': '5318' });
  expect(printed).toContain('endpoint: 127.0.0.1:5318');
  expect(printed).toContain('clickhouse-password: "[REDACTED]"');
  expect(printed).not.toContain('hunter2');
  const reread = print(fileOf(printed));
  expect(reread).toContain('endpoint: 127.0.0.1:5318');
  expect(print(fileOf(reread))).toBe(reread);
});
