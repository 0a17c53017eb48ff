import { stringify } from 'yaml';
import type { Config } from '../config/options.ts';
import { readSettingNodes, type SettingTable } from '../config/setting-node.ts';

/** Stands for a file's name in messages. */
const NAME = '(default configuration)';

/** The configuration that runs when no file names pipelines: OTLP and Loki's push in, the store out, as the program's settings say. */
export function defaultGraph(config: Config): { path: string; sections: SettingTable } {
  const host = config.host.includes(':') ? `[${config.host}]` : config.host;
  const toStore = { receivers: ['otlp'], exporters: ['clickhouse'] };
  const yaml = stringify({
    receivers: {
      otlp: {
        protocols: {
          grpc: {
            endpoint: `${host}:${config['otlp-grpc-port']}`,
            max_recv_msg_size_mib: Math.max(1, Math.ceil(config['max-request-size'] / 1024 ** 2)),
          },
          http: {
            endpoint: `${host}:${config['otlp-http-port']}`,
            max_request_body_size: config['max-request-size'],
            cors: { allowed_origins: config['cors-origins'] },
          },
        },
        max_in_flight_size: config['max-inflight-size'],
      },
      loki: { page_port: true, max_request_body_size: config['max-request-size'] },
    },
    exporters: { clickhouse: null },
    service: { pipelines: { traces: toStore, metrics: toStore, logs: { ...toStore, receivers: ['otlp', 'loki'] } } },
  });
  // Settings are values already: what looks like a variable in them is none.
  const sections = readSettingNodes(yaml.replaceAll('$', '$$$$'), NAME, {});
  return { path: NAME, sections: sections as SettingTable };
}
