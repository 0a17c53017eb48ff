import { hostname } from 'node:os';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { settingsOf, testContext } from '../../pipeline/testing/component-context.ts';
import { RecordSink } from '../../pipeline/testing/record-sink.ts';
import { type LogInput, logsOf } from '../testing/requests.ts';
import { resourceDetectionFactory } from './resource-detection-factory.ts';

afterEach(() => vi.unstubAllEnvs());

/** The resource of a log record that went through. */
async function detected(yaml: string, resource: NonNullable<LogInput['resource']> = {}) {
  const settings = settingsOf(yaml);
  const blueprint = resourceDetectionFactory.configure(settings);
  settings.finish();
  const sink = new RecordSink();
  const component = blueprint.create(testContext(), sink.consumers);
  await component.start();
  await component.consumers.logs?.consume(logsOf({ resource }));
  return Object.fromEntries(sink.logs[0]?.resource.attributes ?? []);
}

describe('resourcedetection', () => {
  it('reads OTEL_RESOURCE_ATTRIBUTES by default', async () => {
    vi.stubEnv('OTEL_RESOURCE_ATTRIBUTES', 'team=checkout, region=eu%20west,broken');
    expect(await detected('{}')).toEqual({ team: 'checkout', region: 'eu west' });
  });

  it('overrides what records say, or not', async () => {
    vi.stubEnv('OTEL_RESOURCE_ATTRIBUTES', 'team=checkout');
    expect(await detected('{}', { team: 'other' })).toEqual({ team: 'checkout' });
    expect(await detected('override: false', { team: 'other' })).toEqual({ team: 'other' });
  });

  it('knows the system, more of it when told to', async () => {
    expect(await detected('detectors: [system]')).toEqual({
      'host.name': hostname(),
      'os.type': process.platform,
    });
    const more = await detected(`detectors: [system]
system:
  hostname_sources: [os]
  resource_attributes: {host.arch: {enabled: true}, os.type: {enabled: false}}
`);
    expect(Object.keys(more)).toEqual(['host.name', 'host.arch']);
  });

  it('knows the process', async () => {
    expect(await detected('detectors: [process]')).toMatchObject({
      'process.pid': BigInt(process.pid),
      'process.runtime.name': 'nodejs',
    });
  });

  it('knows a pod by its variables, and nothing outside of one', async () => {
    vi.stubEnv('K8S_POD_NAME', 'shop-1');
    vi.stubEnv('KUBERNETES_SERVICE_HOST', undefined);
    expect(await detected('detectors: [k8s]')).toEqual({});
    vi.stubEnv('KUBERNETES_SERVICE_HOST', '10.0.0.1');
    vi.stubEnv('K8S_NAMESPACE_NAME', 'prod');
    expect(await detected('detectors: [k8s]')).toMatchObject({
      'k8s.pod.name': 'shop-1',
      'k8s.namespace.name': 'prod',
    });
  });

  it('prefers the detector that stands first', async () => {
    vi.stubEnv('OTEL_RESOURCE_ATTRIBUTES', 'host.name=given');
    expect(await detected('detectors: [env, system]')).toMatchObject({ 'host.name': 'given' });
    expect(await detected('detectors: [system, env]')).toMatchObject({ 'host.name': hostname() });
  });

  it('refuses detectors that it does not have', async () => {
    await expect(detected('detectors: [ec2]')).rejects.toThrow('"ec2" is not one of env, system');
  });
});
