import type { ExporterFactory } from '../../pipeline/component-factory.ts';
import { SIGNALS } from '../../pipeline/signal.ts';
import { readClientSettings } from '../client-settings.ts';
import { readSendSettings } from '../send-settings.ts';
import { SendingExporter } from '../sending-exporter.ts';
import { OtlpGrpcDestination } from './otlp-grpc-destination.ts';

/** `otlp`: OTLP over gRPC. */
export const otlpGrpcExporterFactory: ExporterFactory = {
  kind: 'exporter',
  type: 'otlp',
  aliases: ['otlp_grpc'],
  signals: SIGNALS,
  configure(settings) {
    const send = readSendSettings(settings, { timeout: '5s' });
    const client = readClientSettings(settings);
    const [, scheme, address] =
      /^(?:(https?):\/\/|dns:\/\/\/?)?([^/\s]+:\d{1,5})\/?$/.exec(settings.string('endpoint')) ?? [];
    if (address === undefined) {
      throw settings.fail('endpoint', 'it is not an address; write host:port, such as tempo:4317');
    }
    const keepalive = settings.optionalTable('keepalive');
    const keepAliveMs = keepalive?.duration('time', '10s') ?? null;
    const keepAliveTimeoutMs = keepalive?.duration('timeout', '10s') ?? null;
    const idlePings = keepalive?.boolean('permit_without_stream', false) ?? false;
    settings.choice('balancer_name', ['round_robin', 'pick_first'], null);
    return {
      create(context) {
        const destination = new OtlpGrpcDestination({
          address,
          insecure: client.tls.insecure || scheme === 'http',
          tls: client.tls,
          headers: client.headers,
          compression: client.compression,
          authenticator: client.authenticator && context.clientAuthenticator(client.authenticator),
          keepAlive:
            keepAliveMs === null ? null : { intervalMs: keepAliveMs, timeoutMs: keepAliveTimeoutMs, idlePings },
        });
        return new SendingExporter(send, destination, context);
      },
    };
  },
};
