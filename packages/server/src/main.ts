import { randomBytes, randomUUID } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { hostname } from 'node:os';
import { fileURLToPath } from 'node:url';
import { createSilencesApi } from './api/alertmanager/silences-api.ts';
import { createGrpcService } from './api/grpc/grpc-service.ts';
import { createPageApi } from './api/page-api.ts';
import { QueryRegistry } from './api/query-registry.ts';
import { streamingQuerier } from './api/tempo/streaming-querier.ts';
import { createTempoApi } from './api/tempo/tempo-api.ts';
import { runBackup } from './commands/backup.ts';
import { backupRoute } from './commands/backup-route.ts';
import { connectionOptions } from './commands/connection-options.ts';
import { describeConfig } from './commands/describe-config.ts';
import { checkRules, testRules } from './commands/rules.ts';
import { removeRuntimeFile, writeRuntimeFile } from './commands/runtime-file.ts';
import { componentFactories } from './component-factories.ts';
import { type Command, type Flags, helpText, parseCommandLine } from './config/command-line.ts';
import { ConfigError } from './config/config-error.ts';
import { type ConfigFile, readConfigFile } from './config/config-file.ts';
import { loadConfig } from './config/load-config.ts';
import type { Config } from './config/options.ts';
import type { Endpoint } from './config/values.ts';
import { buildGraph } from './graph/build-graph.ts';
import { DEFAULT_GRAPH_SETTINGS, graphInForce } from './graph/graph-in-force.ts';
import { letHeapGrow } from './heap-growth.ts';
import { startJaegerServer } from './jaeger-server.ts';
import { stopOnSignals } from './lifecycle.ts';
import { lokiApi, lokiTail } from './loki-api.ts';
import { operatorRoutes } from './observe/operator-routes.ts';
import { OwnMetrics } from './observe/own-metrics.ts';
import { observeProcess } from './observe/process-telemetry.ts';
import { PageServer, type RequestHandler } from './page/page-server.ts';
import { staticFiles } from './page/static-files.ts';
import type { Logger } from './pipeline/logger.ts';
import { SignalboxError } from './pipeline/signalbox-error.ts';
import { SmallHttpServer } from './pipeline/small-http-server.ts';
import type { Telemetry } from './pipeline/telemetry.ts';
import { TelemetryRegistry } from './pipeline/telemetry-registry.ts';
import { programLogger } from './program-logger.ts';
import { prometheusApi, seriesCatalog } from './prometheus-api.ts';
import { StreamCatalog } from './query/logql-store/stream-catalog.ts';
import { LogTail } from './query/logs/log-tail.ts';
import type { SeriesCatalog } from './query/promql-store/series-catalog.ts';
import { NO_RULES } from './query/rule-states.ts';
import { RuleEvaluation } from './rule-evaluation.ts';
import { httpUrl, statusReporter } from './status-reporter.ts';
import { restore } from './store/backup.ts';
import { noConnection } from './store/no-connection.ts';
import { openStore } from './store/open-store.ts';
import type { Store } from './store/store.ts';
import { STORE_EXPORTER, storeExporterFactory } from './store-exporter.ts';
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
    else if (command.kind === 'rules') {
      const print = (line: string) => console.log(line);
      const isGood =
        command.action === 'check'
          ? checkRules(command.files, command.features, print)
          : await testRules(command.files, command.features, print);
      if (!isGood) process.exitCode = 1;
    } else await run(command);
  } catch (error) {
    report(error);
    process.exitCode = error instanceof ConfigError ? 2 : 1;
  }
}

async function run(command: Exclude<Command, { kind: 'help' | 'version' | 'rules' }>): Promise<void> {
  const file = readConfigFile(command.configFile, process.env);
  if (file?.collector) refuseWithoutEffect(command.flags, file.path);
  const config = loadConfig(command.flags, process.env, file);
  if (command.kind === 'serve') return await serve(config, file);
  if (command.kind === 'config') {
    const factories = [...componentFactories, storeExporterFactory(() => null)];
    console.log(describeConfig(command.action, config, file, graphInForce(config, file, factories)));
    return;
  }
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

/** A flag that changes nothing is a mistake that somebody would look for a long time. */
function refuseWithoutEffect(flags: Flags, path: string): void {
  const idle = DEFAULT_GRAPH_SETTINGS.find((name) => flags[name] !== undefined);
  if (idle) throw new ConfigError(`--${idle} has no effect: the receivers of ${path} say where and how to listen`);
}

/** Opens the store if the configuration names it, runs the program on it, and lets go of it when that fails to start. */
async function serve(config: Config, file: ConfigFile | null): Promise<void> {
  letHeapGrow();
  const startedAt = Date.now();
  let store: Store | null = null;
  const logTail = new LogTail();
  const factories = [...componentFactories, storeExporterFactory(() => store && { store, logTail })];
  const graphConfig = graphInForce(config, file, factories);
  const log = programLogger({
    level: graphConfig.telemetry.logLevel ?? config['log-level'],
    format: graphConfig.telemetry.logFormat ?? config['log-format'],
  });
  const telemetry = new TelemetryRegistry();
  observeProcess(telemetry);
  // Without the store its engine is never loaded: such processes are small, and may stand side by side.
  if (graphConfig.exporters.has(STORE_EXPORTER)) store = await openConfiguredStore(config, log, telemetry);
  const onError = (error: unknown) => log.error('Unexpected error', error);
  const { host } = config;
  const token = randomBytes(32).toString('hex');
  const stops: ((deadlineMs: number) => Promise<void>)[] = [async (deadlineMs) => store?.shutdown(deadlineMs)];
  const shutdown = async (deadlineMs: number) => {
    const endsAt = performance.now() + deadlineMs;
    for (const stop of [...stops].reverse()) await stop(Math.max(0, endsAt - performance.now()));
  };
  try {
    const catalog = seriesCatalog(config);
    const streams = new StreamCatalog(config['logql-max-streams']);
    const tail = store && lokiTail({ config, connection: store.connection, catalog: streams, logTail, onError });
    const rules = ruleEvaluation(config, store, catalog, log);
    const graph = buildGraph(graphConfig, { telemetry, log, dataFolder: config.data });
    const registry = new QueryRegistry();
    const pageApi = createPageApi({
      registry,
      connection: store?.connection ?? noConnection,
      logTail,
      status: statusReporter({ config, store, telemetry, startedAt, graph }),
      maxExecutionMs: config['query-timeout'],
      allowedHosts: [host, ...config['allowed-hosts']],
      onError,
    });
    const grpc = { registry, maxExecutionMs: config['query-timeout'], onError };
    const onStream =
      store === null
        ? {}
        : { onStream: createGrpcService(streamingQuerier, { ...grpc, connection: store.connection }) };
    const operator = operatorRoutes(telemetry, () => graph.isReady);
    const pageServer = new PageServer(
      { host, port: config.port, allowedHosts: config['allowed-hosts'], onError, ...onStream },
      [
        ...(store === null ? [] : [backupRoute((to) => store.backup(to), token)]),
        (request, response) => graph.handle(request, response),
        operator,
        pageApi.handle,
        ...(store === null
          ? []
          : [
              prometheusApi({
                config,
                connection: store.connection,
                catalog,
                rules: rules ?? NO_RULES,
                scrapes: () => graph.scrapes(),
                registry,
                startedAt,
                onError,
              }),
              lokiApi({
                config,
                connection: store.connection,
                registry,
                catalog: streams,
                onError,
              }),
              createTempoApi({
                connection: store.connection,
                registry,
                maxExecutionMs: config['query-timeout'],
                allowedHosts: [host, ...config['allowed-hosts']],
                version,
                onError,
              }),
            ]),
        ...(rules === undefined
          ? []
          : [
              createSilencesApi({
                silences: rules.silences,
                allowedHosts: [host, ...config['allowed-hosts']],
                onError,
              }),
            ]),
        await staticFiles(pageFolder),
      ],
      tail === null ? [] : [(request, socket, head) => tail.upgrade(request, socket, head)],
    );
    stops.push(async (deadlineMs) => {
      tail?.close();
      pageApi.cancelAll();
      await Promise.allSettled([graph.shutdown(deadlineMs * 0.75), pageServer.shutdown(deadlineMs / 2)]);
    });
    await graph.start();
    await pageServer.start();
    if (rules !== undefined) {
      stops.push(async () => await rules.shutdown());
      await rules.start();
      process.on('SIGHUP', () => void rules.reload());
    }
    const metrics = metricsServer(graphConfig.telemetry.metricsEndpoint, operator);
    await metrics?.start();
    stops.push(async () => metrics?.shutdown());
    if (store !== null) {
      const resource = new Map([
        ['service.name', 'signalbox'],
        ['service.version', version],
        ['service.instance.id', randomUUID()],
        ...graphConfig.telemetry.resource,
      ]);
      const own = new OwnMetrics({ registry: telemetry, store: store.metrics, resource, log });
      await own.start();
      stops.push(() => own.shutdown());
      mkdirSync(config.data, { recursive: true });
      writeRuntimeFile(config.data, { pid: process.pid, page: httpUrl(pageServer.address), token });
      stops.push(async () => removeRuntimeFile(config.data));
    }
    const jaeger =
      store === null ? null : await startJaegerServer(config, { connection: store.connection, registry, onError }, log);
    stops.push(async () => jaeger?.shutdown(config['shutdown-timeout']));
    stopOnSignals(shutdown, config['shutdown-timeout']);
    const page = { protocol: 'page', address: httpUrl(pageServer.address) };
    const jaegerAddresses = jaeger === null ? [] : [{ protocol: 'Jaeger', address: httpUrl(jaeger.address) }];
    greet(config, startedAt, [page, ...graph.addresses, ...jaegerAddresses], store !== null);
    if (!isLoopback(pageServer.address.address)) {
      console.log(
        '  Whoever reaches this address can read and send: there is no login. Put a proxy with one in front.\n',
      );
    }
  } catch (error) {
    await shutdown(config['shutdown-timeout']);
    throw error;
  }
}

/** What evaluates the rules of the settings; undefined: they name none. */
function ruleEvaluation(config: Config, store: Store | null, catalog: SeriesCatalog, log: Logger) {
  if (config['rule-files'].length === 0) return undefined;
  if (store === null)
    throw new ConfigError('--rule-files needs the store: the configuration has no clickhouse exporter');
  const host = isWildcard(config.host) ? hostname() : config.host;
  const pageUrl = `http://${host.includes(':') ? `[${host}]` : host}:${config.port}`;
  return new RuleEvaluation({ config, store, catalog, pageUrl, log });
}

async function openConfiguredStore(config: Config, log: Logger, telemetry: Telemetry): Promise<Store> {
  return await openStore({
    connection: connectionOptions(config),
    retention: {
      tracesMs: config['retention-traces'],
      logsMs: config['retention-logs'],
      metricsMs: config['retention-metrics'],
      maxBytes: config['max-size'],
    },
    onInsert: (table, seconds) =>
      telemetry
        .histogram('signalbox_store_insert_seconds', 'Time of an insert until it is synced', INSERT_SECONDS, { table })
        .record(seconds),
    onError: (error) => log.error('Housekeeping of the store failed', error),
  });
}

const INSERT_SECONDS = [0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5];

/** `service::telemetry::metrics` may ask for a port of its own for a scraper. */
function metricsServer(endpoint: Endpoint | null, operator: RequestHandler): SmallHttpServer | null {
  if (endpoint === null) return null;
  const place = 'service::telemetry::metrics';
  return new SmallHttpServer({ endpoint, protocol: 'metrics', place }, (request, response) => {
    if (operator(request, response) === false) response.writeHead(404).end();
  });
}

/** Says where everything is, for people. */
function greet(
  config: Config,
  startedAt: number,
  addresses: readonly { readonly protocol: string; readonly address: string }[],
  keeps: boolean,
): void {
  const data = keeps ? (config['clickhouse-url'] ?? config.data) : 'none: the configuration has no clickhouse exporter';
  const rows = [...addresses, { protocol: 'data', address: data }];
  const lines = rows.map(({ protocol, address }) => `  ${protocol.padEnd(10)} ${address}`);
  const seconds = ((Date.now() - startedAt) / 1000).toFixed(1);
  console.log(`Signalbox ${version} is ready in ${seconds} s\n\n${lines.join('\n')}\n`);
}

/** Where `vite build` puts the page, from `src` and from `dist` alike. */
const pageFolder = fileURLToPath(new URL('../page', import.meta.url));

function isWildcard(host: string): boolean {
  return host === '0.0.0.0' || host === '::';
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
