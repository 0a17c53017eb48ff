import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { resolveConfiguration } from './configuration.ts';
import type { StartOptions } from './options.ts';
import { createResource } from './resource.ts';
import { resolveSampling } from './sampling/resolve-sampling.ts';
import { resolveSettings } from './settings.ts';
import { RecordedWarnings } from './testing/recorded-warnings.ts';

const folder = mkdtempSync(join(tmpdir(), 'signalbox-settings-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const path = join(folder, 'sdk.yaml');

const yaml = `file_format: "1.0"
resource: { attributes: [{ name: service.name, value: from-file }, { name: team, value: a }] }
propagator: { composite: [{ b3: }] }
tracer_provider:
  processors: [{ batch: { max_queue_size: 7, exporter: { otlp_http: { endpoint: http://file/v1/traces, headers: [{ name: a, value: file }, { name: b, value: file }] } } } }]
  sampler: { always_off: }
meter_provider:
  readers: [{ periodic: { interval: 7, exporter: { otlp_http: } } }]
  views: [{ selector: { instrument_name: from.file }, stream: { aggregation: { drop: } } }]
`;

function settle(options: StartOptions = {}, variables: Record<string, string> = {}, text = yaml) {
  writeFileSync(path, text);
  const warnings = new RecordedWarnings();
  const settings = resolveSettings(options, { OTEL_CONFIG_FILE: path, ...variables }, warnings);
  return {
    settings,
    said: warnings.said,
    configuration: resolveConfiguration(settings.options, settings.env, warnings),
    sampler: resolveSampling(settings.options, settings.env).sampler.toString(),
    resource: createResource(settings.options, settings.env, false).attributes,
  };
}

describe('OTEL_CONFIG_FILE', () => {
  test('is what everything is configured from, whatever the other variables say', () => {
    const { settings, configuration, sampler, resource, said } = settle(
      {},
      {
        OTEL_SDK_DISABLED: 'true',
        OTEL_TRACES_SAMPLER: 'always_on',
        OTEL_SERVICE_NAME: 'variable',
        OTEL_PROPAGATORS: 'jaeger',
        OTEL_BSP_SCHEDULE_DELAY: '1',
        OTEL_EXPORTER_OTLP_HEADERS: 'c=variable',
        OTEL_LOGS_EXPORTER: 'otlp',
        OTEL_NODE_DISABLED_INSTRUMENTATIONS: 'pino',
        OTEL_LOG_LEVEL: 'none',
      },
    );
    expect(said).toEqual([]);
    expect(settings).toMatchObject({ isDisabled: false, logLevel: undefined });
    expect(settings.options.propagator?.fields()).toEqual(['b3']);
    expect(sampler).toBe('AlwaysOffSampler');
    expect(resource).toMatchObject({ 'service.name': 'from-file', team: 'a' });
    expect(resource).not.toHaveProperty('host.name');
    expect(configuration).toMatchObject({
      logs: false,
      traces: {
        otlp: { url: 'http://file/v1/traces', headers: { a: 'file', b: 'file' } },
        batch: { maxQueueSize: 7, maxExportBatchSize: 7, scheduledDelayMillis: 5000 },
      },
      metrics: { exportIntervalMillis: 7, views: [{ instrumentName: 'from.file' }] },
      disabledInstrumentations: new Set(),
    });
    expect(JSON.stringify(configuration)).not.toContain('variable');
  });

  test('options given to start beat it, field by field', () => {
    const { configuration, sampler, resource } = settle({
      endpoint: 'http://option',
      headers: { a: 'option' },
      serviceName: 'option',
      resourceAttributes: { team: 'b' },
      sampling: { ratio: 0.5 },
      traces: { maxQueueSize: 9 },
      metrics: { views: [{ instrumentName: 'option' }] },
      logs: {},
    });
    expect(configuration).toMatchObject({
      traces: {
        otlp: { url: 'http://option/v1/traces', headers: { a: 'option', b: 'file' } },
        batch: { maxQueueSize: 9, scheduledDelayMillis: 5000 },
      },
      metrics: {
        otlp: { url: 'http://option/v1/metrics' },
        exportIntervalMillis: 7,
        views: [{ instrumentName: 'from.file' }, { instrumentName: 'option' }],
      },
      logs: { otlp: { url: 'http://option/v1/logs' } },
    });
    expect(sampler).toBe('ParentBased{root=ProbabilitySampler{0.5}}');
    expect(resource).toMatchObject({ 'service.name': 'option', team: 'b' });
    expect(settle({ traces: false }).configuration.traces).toBe(false);
  });

  test.each([
    ['pull: { exporter: { prometheus/development: { port: 1 } } }', { otlp: undefined, prometheus: { port: 1 } }],
    ['periodic: { exporter: { console: } }', { otlp: undefined, prometheus: undefined, console: true }],
  ])('metrics need not be sent: %s', (reader, expected) => {
    const text = `file_format: "1.0"\nmeter_provider: { readers: [{ ${reader} }] }`;
    expect(settle({}, {}, text).configuration.metrics).toMatchObject(expected);
  });

  test('keeps its sampler beside options that only say what is kept in the end', () => {
    expect(settle({ sampling: { keepErrors: true } }).sampler).toBe('AlwaysOffSampler');
  });

  test('its name of before is read too', () => {
    writeFileSync(path, 'file_format: "1.0"\ndisabled: true');
    const warnings = new RecordedWarnings();
    expect(resolveSettings({}, { OTEL_EXPERIMENTAL_CONFIG_FILE: path }, warnings).isDisabled).toBe(true);
  });

  test('that has errors switches everything off, and says where they are', () => {
    const { settings, said } = settle({}, {}, 'file_format: "1.0"\nlog_level: loud\ntracer_provder: {}');
    expect(settings.isDisabled).toBe(true);
    expect(said).toEqual([
      expect.stringMatching(/^OTEL_CONFIG_FILE: .*sdk\.yaml:2:12: log_level must be one of trace, /),
      expect.stringMatching(
        /^OTEL_CONFIG_FILE: .*sdk\.yaml:3:1: tracer_provder is not known; did you mean tracer_provider\?$/,
      ),
      `nothing is recorded or sent until ${path} (OTEL_CONFIG_FILE) is mended`,
    ]);
  });
});
