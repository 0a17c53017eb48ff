import { randomBytes } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { createPageApi } from './api/page-api.ts';
import { runBackup } from './commands/backup.ts';
import { backupRoute } from './commands/backup-route.ts';
import { connectionOptions } from './commands/connection-options.ts';
import { removeRuntimeFile, writeRuntimeFile } from './commands/runtime-file.ts';
import { type Command, helpText, parseCommandLine } from './config/command-line.ts';
import { ConfigError } from './config/config-error.ts';
import { loadConfig } from './config/load-config.ts';
import type { Config } from './config/options.ts';
import { stopOnSignals } from './lifecycle.ts';
import { PageServer } from './page/page-server.ts';
import { staticFiles } from './page/static-files.ts';
import type { Component } from './pipeline/component.ts';
import { fanOut } from './pipeline/fan-out.ts';
import { SignalboxError } from './pipeline/signalbox-error.ts';
import { EdgeConnector } from './process/edges/edge-connector.ts';
import { RedConnector } from './process/red/red-connector.ts';
import { LogTail, tailLogs } from './query/logs/log-tail.ts';
import { ExportService } from './receive/otlp/export-service.ts';
import { OtlpGrpcReceiver } from './receive/otlp-grpc/otlp-grpc-receiver.ts';
import { OtlpHttpReceiver } from './receive/otlp-http/otlp-http-receiver.ts';
import { httpUrl, statusReporter } from './status-reporter.ts';
import { restore } from './store/backup.ts';
import { openStore } from './store/open-store.ts';
import { version } from './version.ts';

/**
 * Runs the program with the arguments after its name; sets `process.exitCode`. 2 stands for arguments or settings that can't be used,
 * 1 for everything else that went wrong.
 */
export async function main(args: string[]): Promise<void> {
  try {
    const command = parseCommandLine(args);
    if (command.kind === 'help') console.log(helpText());
    else if (command.kind === 'version') console.log(version);
    else await run(command);
  } catch (error) {
    report(error);
    process.exitCode = error instanceof ConfigError ? 2 : 1;
  }
}

async function run(command: Exclude<Command, { kind: 'help' | 'version' }>): Promise<void> {
  const config = loadConfig(command.flags, process.env, command.configFile);
  if (command.kind === 'serve') return await serve(config);
  if (command.kind === 'backup') {
    await runBackup(config, command.folder);
    console.log(`The store of ${config.data} is copied to ${command.folder}.`);
    return;
  }
  const connection = connectionOptions(config);
  if (connection.kind !== 'embedded')
    throw new ConfigError('restore fills the embedded store; use the tools of your ClickHouse server instead.');
  await restore(connection, command.folder);
  console.log(
    `${config.data} is filled from ${command.folder}. Start Signalbox on it: signalbox --data ${config.data}`,
  );
}

/** Wires the stages together, starts them from the store backwards and stops them from the receivers forwards. */
async function serve(config: Config): Promise<void> {
  const startedAt = Date.now();
  const store = await openStore({
    connection: connectionOptions(config),
    retention: {
      tracesMs: config['retention-traces'],
      logsMs: config['retention-logs'],
      metricsMs: config['retention-metrics'],
      maxBytes: config['max-size'],
    },
    onError: onInternalError,
  });
  // What is counted is counted from all spans, so the connectors stand beside the store, not behind a stage that drops.
  const red = new RedConnector(store.red);
  const edges = new EdgeConnector(store.edges, { onError: onInternalError });
  const logTail = new LogTail();
  const exports = new ExportService({
    consumers: { traces: fanOut(store.spans, red, edges), logs: tailLogs(store.logs, logTail), metrics: store.metrics },
    maxRequestBytes: config['max-request-size'],
    maxInFlightBytes: config['max-inflight-size'],
    onInternalError,
  });
  const { host } = config;
  const otlpHttp = new OtlpHttpReceiver(exports, {
    host,
    port: config['otlp-http-port'],
    corsOrigins: config['cors-origins'],
  });
  const otlpGrpc = new OtlpGrpcReceiver(exports, { host, port: config['otlp-grpc-port'] });
  const pageApi = createPageApi({
    connection: store.connection,
    logTail,
    status: statusReporter({ config, store, received: exports.received, startedAt, addresses: { otlpHttp, otlpGrpc } }),
    maxExecutionMs: config['query-timeout'],
    allowedHosts: [host, ...config['allowed-hosts']],
    onError: onInternalError,
  });
  const token = randomBytes(32).toString('hex');
  const pageServer = new PageServer(
    { host, port: config.port, allowedHosts: config['allowed-hosts'], onError: onInternalError },
    [backupRoute((to) => store.backup(to), token), pageApi.handle, await staticFiles(pageFolder)],
  );
  const listeners: Component[] = [otlpHttp, otlpGrpc, pageServer];

  const shutdown = async (deadlineMs: number) => {
    const endsAt = performance.now() + deadlineMs;
    pageApi.cancelAll();
    await Promise.allSettled(listeners.map((listener) => listener.shutdown(deadlineMs / 2)));
    await edges.shutdown(deadlineMs / 4);
    await store.shutdown(Math.max(0, endsAt - performance.now()));
  };
  try {
    for (const component of [edges, ...listeners]) await component.start();
    mkdirSync(config.data, { recursive: true });
    writeRuntimeFile(config.data, { pid: process.pid, page: httpUrl(pageServer.address), token });
  } catch (error) {
    await shutdown(config['shutdown-timeout']);
    throw error;
  }
  stopOnSignals(async (deadlineMs) => {
    removeRuntimeFile(config.data);
    await shutdown(deadlineMs);
  }, config['shutdown-timeout']);
  console.log(`Signalbox ${version} is ready in ${((Date.now() - startedAt) / 1000).toFixed(1)} s

  page       ${httpUrl(pageServer.address)}
  OTLP/HTTP  ${httpUrl(otlpHttp.address)}
  OTLP/gRPC  ${httpUrl(otlpGrpc.address)}
  data       ${config['clickhouse-url'] ?? config.data}
`);
  if (!isLoopback(pageServer.address.address)) {
    console.log(
      '  Whoever reaches this address can read and send: there is no login. Put a proxy with one in front.\n',
    );
  }
}

/** Where `vite build` puts the page, from `src` and from `dist` alike. */
const pageFolder = fileURLToPath(new URL('../page', import.meta.url));

function onInternalError(error: unknown): void {
  console.error('Unexpected error:', error);
}

function isLoopback(address: string): boolean {
  return address === '::1' || address.startsWith('127.') || address.startsWith('::ffff:127.');
}

/** One line for what a user can mend, everything for what only we can. */
function report(error: unknown): void {
  if (error instanceof ConfigError) console.error(error.message);
  else if (error instanceof SignalboxError && error.code !== 'internal') {
    console.error(`${error.message}.${error.hint ? ` ${error.hint}` : ''}`);
  } else console.error(error);
}
