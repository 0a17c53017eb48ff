import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { decodeLokiProtobuf, decodeSnappy } from '@signalbox/protocols';
import { type LogObject, logObjects } from '@signalbox/records';
import { expect, onTestFinished, test } from 'vitest';
import { settingsOf, testContext } from '../../pipeline/testing/component-context.ts';
import { logsOf } from '../../pipeline/testing/record-sink.ts';
import { lokiExporterFactory } from './loki-exporter.ts';

async function loki(answer = 204) {
  const requests: { headers: IncomingHttpHeaders; records: LogObject[]; url: string }[] = [];
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const batch = decodeLokiProtobuf(decodeSnappy(Buffer.concat(chunks), 1 << 20));
      requests.push({ headers: request.headers, records: logObjects(batch), url: request.url ?? '' });
      response.writeHead(answer).end('no');
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  const yaml = `endpoint: http://127.0.0.1:${(server.address() as AddressInfo).port}/loki/api/v1/push\n`;
  const settings = settingsOf(`${yaml}sending_queue: {enabled: false}\nretry_on_failure: {enabled: false}\n`);
  const blueprint = lokiExporterFactory.configure(settings);
  settings.finish();
  const exporter = blueprint.create(testContext());
  await exporter.start();
  onTestFinished(() => exporter.shutdown(1_000));
  const send = (resource: object, logRecords: object[]) =>
    exporter.consumers.logs?.consume(
      logsOf({
        resourceLogs: [
          {
            resource: { attributes: attributes(resource) },
            scopeLogs: [{ scope: { name: 'lib', version: '1' }, logRecords }],
          },
        ],
      }),
    );
  return { requests, send };
}

const attributes = (values: object) =>
  Object.entries(values).map(([key, stringValue]) => ({ key, value: { stringValue } }));
const RESOURCE = { 'service.name': 'shop', 'service.namespace': 'eu', 'service.instance.id': 'a', 'host.name': 'h' };
const record = {
  timeUnixNano: '1700000000000000001',
  severityNumber: 9,
  severityText: 'Info',
  body: { stringValue: 'a <b> & "c"' },
  traceId: '5b8efff798038103d269b633813fc60c',
  spanId: 'eee19b7ec3c1b174',
};

/** Labels arrive as attributes of the resource, with the service's name added. */
const labels = (found: LogObject | undefined) =>
  Object.fromEntries(
    (found?.resource.attributes ?? []).filter(([key]) => key !== 'service.name' && key !== 'loki.resource.labels'),
  );

test('labels and body are those of the Collector 0.91', async () => {
  const { requests, send } = await loki();
  await send(RESOURCE, [{ ...record, attributes: attributes({ zeta: '2', alpha: '1' }) }]);
  const [{ headers, records, url } = { headers: {}, records: [], url: '' }] = requests;
  expect(url).toBe('/loki/api/v1/push');
  expect(headers['content-type']).toBe('application/x-protobuf');
  expect(headers['content-encoding']).toBeUndefined();
  expect(labels(records[0])).toEqual({ exporter: 'OTLP', instance: 'a', job: 'eu/shop', level: 'INFO' });
  expect(records[0]?.time).toBe(1700000000000000001n);
  expect(records[0]?.body).toBe(
    '{"body":"a \\u003cb\\u003e \\u0026 \\"c\\"","traceid":"5b8efff798038103d269b633813fc60c","spanid":"eee19b7ec3c1b174",' +
      '"severity":"Info","attributes":{"alpha":"1","zeta":"2"},"resources":{"host.name":"h","service.instance.id":"a",' +
      '"service.name":"shop","service.namespace":"eu"},"instrumentation_scope":{"name":"lib","version":"1"}}',
  );
});

test('hints choose labels, format and tenant, and are not sent', async () => {
  const { requests, send } = await loki();
  await send(
    { ...RESOURCE, 'loki.resource.labels': 'host.name', 'loki.tenant': 'service.namespace', 'loki.format': 'logfmt' },
    [
      {
        ...record,
        attributes: attributes({ 'loki.attribute.labels': 'http.route, missing', 'http.route': '/a', user: 'x y' }),
      },
    ],
  );
  expect(requests[0]?.headers['x-scope-orgid']).toBe('eu');
  expect(labels(requests[0]?.records[0])).toMatchObject({ host_name: 'h', http_route: '/a' });
  expect(requests[0]?.records[0]?.body).toBe(
    'msg="a <b> & \\"c\\"" traceID=5b8efff798038103d269b633813fc60c spanID=eee19b7ec3c1b174 severity=Info attribute_user="x y" ' +
      'resource_service.name=shop resource_service.instance.id=a instrumentation_scope_name=lib instrumentation_scope_version=1',
  );
});

test('the raw format is the body alone; logfmt bodies are taken apart', async () => {
  const { requests, send } = await loki();
  await send({ 'loki.format': 'raw' }, [record]);
  expect(requests[0]?.records[0]?.body).toBe('a <b> & "c"');
  await send({ 'loki.format': 'logfmt' }, [{ timeUnixNano: '1', body: { stringValue: 'a=1 b="x y"' } }]);
  expect(requests[1]?.records[0]?.body).toBe(
    'a=1 b="x y" instrumentation_scope_name=lib instrumentation_scope_version=1',
  );
});

test('a refusal for good and one for now differ', async () => {
  await expect((await loki(400)).send({}, [record])).rejects.toMatchObject({ retryable: false });
  await expect((await loki(429)).send({}, [record])).rejects.toMatchObject({ retryable: true });
  await expect((await loki(500)).send({}, [record])).rejects.toMatchObject({ retryable: true });
});
