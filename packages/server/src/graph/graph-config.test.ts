import { describe, expect, test } from 'vitest';
import { configFile } from '../config/config-file.ts';
import { readSettingNodes, type SettingTable } from '../config/setting-node.ts';
import { readGraphConfig } from './graph-config.ts';
import { TestComponents } from './testing/test-components.ts';

function read(yaml: string) {
  const { collector } = configFile('c.yaml', readSettingNodes(yaml, 'c.yaml', {}));
  return readGraphConfig('c.yaml', collector as SettingTable, new TestComponents().factories);
}

const BASE = `receivers:
  source:
exporters:
  sink:
`;

describe('a configuration', () => {
  test('may define what it does not use, and name instances', () => {
    const { pipelines, effective, exporters } = read(`${BASE}  sink/other: {token: abc}
processors:
  drop:
service:
  pipelines:
    traces: {receivers: [source], exporters: [sink]}
    traces/2: {receivers: [source], exporters: [sink/other]}
`);
    expect(pipelines.map(({ name, signal }) => [name, signal])).toEqual([
      ['traces', 'traces'],
      ['traces/2', 'traces'],
    ]);
    expect([...exporters]).toEqual(['sink']);
    expect(effective).toMatchObject({
      receivers: { source: { endpoint: 'localhost:1' } },
      exporters: { sink: { watches: false }, 'sink/other': { token: '[REDACTED]' } },
      service: { pipelines: { traces: { receivers: ['source'], processors: [], exporters: ['sink'] } } },
    });
  });

  const pipeline = (text: string) => `${BASE}service:\n  pipelines:\n    ${text}\n`;
  test.each([
    [
      'receivers: {sorce: }\n',
      /^c\.yaml:1: receivers::sorce: there is no such component; did you mean "source"\? \(supp/,
    ],
    ['receivers:\n  source: {endpont: a}\n', /^c\.yaml:2: receivers::source::endpont: .*did you mean "endpoint"/],
    ['receivers: {source/a b: }\n', /c\.yaml:1: receivers::source\/a b: a component is named by its type/],
    [BASE, /service::pipelines: at least one pipeline is required/],
    [pipeline('trace: {receivers: [source], exporters: [sink]}'), /^c\.yaml:7: .*named after their signal/],
    [pipeline('traces: {exporters: [sink]}'), /^c\.yaml:7: .*it needs at least one of receivers/],
    [pipeline('traces: {receivers: [source]}'), /^c\.yaml:7: .*it needs at least one of exporters/],
    [
      pipeline('traces: {receivers: [sourc], exporters: [sink]}'),
      /^c\.yaml:7: .*no receiver "sourc"; did you mean "source"/,
    ],
    [
      pipeline('traces: {receivers: [source], exporters:\n        [sink,\n         snk]}'),
      /^c\.yaml:9: .*no exporter "snk"/,
    ],
    [
      `${pipeline('logs: {receivers: [source], processors: [rename], exporters: [sink]}')}processors: {rename: }\n`,
      /^c\.yaml:7: .*"rename" does not support logs, only traces/,
    ],
    [
      `${pipeline('logs: {receivers: [source], processors: [drop, drop], exporters: [sink]}')}processors: {drop: }\n`,
      /"drop" stands in the pipeline twice/,
    ],
    [`${pipeline('logs: {receivers: [source], exporters: [sink]}')}  extensions: [guard]\n`, /no extension "guard"/],
    [`${pipeline('logs: {receivers: [source], exporters: [sink]}')}  telemtry: {}\n`, /telemtry: .*"telemetry"/],
    [
      `${pipeline('traces: {receivers: [source], exporters: [forward]}')}connectors: {forward: }\n`,
      /connector "forward" is an exporter here, but no pipeline that suits receives from it/,
    ],
    [
      `${pipeline('traces: {receivers: [forward], exporters: [sink]}')}connectors: {forward: }\n`,
      /connector "forward" is a receiver here, but no pipeline that suits exports to it/,
    ],
    [
      `${pipeline('metrics: {receivers: [source], exporters: [forward]}')}connectors: {forward: }\n`,
      /"forward" does not support metrics, only traces, logs/,
    ],
    [
      `${pipeline('traces/a: {receivers: [source, forward], exporters: [forward, sink]}')}connectors: {forward: }\n`,
      /records would go round in a circle: traces\/a → traces\/a/,
    ],
  ])('%j is refused with its place', (yaml, message) => {
    expect(() => read(yaml)).toThrow(message);
  });

  test('all problems are named at once', () => {
    const yaml = 'receivers:\n  sorce:\n  source: {a: 1}\nexporters:\n  snk:\n';
    expect(() => read(yaml)).toThrow(/c\.yaml:2: .*\nc\.yaml:3: .*\nc\.yaml:5: .*\n/);
  });
});
