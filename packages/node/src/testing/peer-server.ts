import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { chownSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { type AddressInfo, connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

/** Whether a program is installed, so that tests that need it can skip by name where it is not. */
export function hasProgram(program: string): boolean {
  return spawnSync(program, ['--version'], { stdio: 'ignore' }).error === undefined;
}

/** A port that nothing listened on a moment ago. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

/** Somebody other than root: PostgreSQL refuses to run as root, which tests in containers often are. */
export interface PeerUser {
  readonly uid: number;
  readonly gid: number;
}

export interface PeerOptions {
  readonly env?: NodeJS.ProcessEnv;
  readonly user?: PeerUser | undefined;
  /** Removed by `remove`. */
  readonly folder?: string;
  /** Ends what the server leaves running. */
  readonly end?: () => void;
  /** How long it may take to accept connections; half a minute unless given. */
  readonly startMillis?: number;
}

/** A real server beside the tests, which can go away and come back at the same place. */
export class PeerServer {
  readonly port: number;
  readonly #command: readonly [program: string, ...args: string[]];
  readonly #options: PeerOptions;
  #process: ChildProcess | undefined;
  #output = '';
  #isPaused = false;

  constructor(port: number, command: readonly [program: string, ...args: string[]], options: PeerOptions = {}) {
    this.port = port;
    this.#command = command;
    this.#options = options;
  }

  /** Resolves when it accepts connections; one that was paused goes on. */
  async start(): Promise<this> {
    if (this.#isPaused) {
      this.#isPaused = false;
      this.#process?.kill('SIGCONT');
      return this;
    }
    const [program, ...args] = this.#command;
    const { env, user, startMillis = 30_000 } = this.#options;
    const process_ = spawn(program, args, {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, ...env },
      ...user,
    });
    this.#process = process_;
    for (const stream of [process_.stdout, process_.stderr])
      stream.on('data', (chunk) => {
        this.#output = `${this.#output}${chunk}`.slice(-10_000);
      });
    const deadline = Date.now() + startMillis;
    while (!(await this.#accepts())) {
      if (process_.exitCode !== null || Date.now() > deadline)
        throw new Error(`${program} did not start: ${this.#output}`);
      await sleep(20);
    }
    return this;
  }

  /** With SIGSTOP it is only paused: connections stay, and are even accepted, but nothing answers. */
  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<void> {
    const process_ = this.#process;
    if (process_ === undefined || process_.exitCode !== null || process_.signalCode !== null) return;
    // What is paused would not notice.
    if (this.#isPaused) process_.kill('SIGCONT');
    process_.kill(signal);
    this.#isPaused = signal === 'SIGSTOP';
    if (this.#isPaused) return;
    await once(process_, 'close');
  }

  /** Stops it for good, and removes its data. */
  async remove(): Promise<void> {
    // Those with a process for each connection or a supervisor take them along when they are asked to end.
    await this.stop(this.#options.end === undefined ? 'SIGKILL' : 'SIGTERM');
    this.#options.end?.();
    if (this.#options.folder !== undefined) rmSync(this.#options.folder, { recursive: true, force: true });
  }

  async #accepts(): Promise<boolean> {
    const socket = connect(this.port, '127.0.0.1');
    try {
      await once(socket, 'connect');
      return true;
    } catch {
      // Not yet.
      return false;
    } finally {
      socket.destroy();
    }
  }
}

export async function startRedis(): Promise<PeerServer> {
  const port = await freePort();
  const options = ['--port', String(port), '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no'];
  return new PeerServer(port, ['redis-server', ...options]).start();
}

export async function startMemcached(): Promise<PeerServer> {
  const port = await freePort();
  // It refuses to run as root, and then becomes whoever it is told.
  const user = process.getuid?.() === 0 ? ['-u', 'nobody'] : [];
  return new PeerServer(port, ['memcached', '-l', '127.0.0.1', '-p', String(port), ...user]).start();
}

const postgresFolder = '/usr/lib/postgresql';

/** Debian keeps PostgreSQL's programs off the path, one folder for each version. Undefined where there is none. */
export function postgresPrograms(): string | undefined {
  try {
    const versions = readdirSync(postgresFolder).sort((a, b) => Number(b) - Number(a));
    return versions[0] === undefined ? undefined : join(postgresFolder, versions[0], 'bin');
  } catch {
    // Not installed, which the tests that need it say themselves.
    return undefined;
  }
}

/** A new cluster with the superuser `postgres`, whom it trusts; `settings` are those of postgresql.conf. */
export async function startPostgres(settings: Readonly<Record<string, string>> = {}): Promise<PeerServer> {
  const programs = postgresPrograms();
  if (programs === undefined) throw new Error('PostgreSQL is not installed: apt-get install postgresql');
  const user = process.getuid?.() === 0 ? { uid: numberOf('-u'), gid: numberOf('-g') } : undefined;
  const folder = mkdtempSync(join(tmpdir(), 'signalbox-postgres-'));
  if (user !== undefined) chownSync(folder, user.uid, user.gid);
  const data = join(folder, 'data');
  const created = spawnSync(
    join(programs, 'initdb'),
    ['--pgdata', data, '--username', 'postgres', '--auth', 'trust', '--no-sync', '--encoding', 'UTF8', '--locale', 'C'],
    { ...user, cwd: folder },
  );
  if (created.status !== 0) throw new Error(`initdb failed: ${created.stderr}`);
  const port = await freePort();
  const all = {
    listen_addresses: '127.0.0.1',
    port: String(port),
    unix_socket_directories: folder,
    fsync: 'off',
    ...settings,
  };
  const options = Object.entries(all).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
  return new PeerServer(port, [join(programs, 'postgres'), '-D', data, ...options], { user, folder }).start();
}

function numberOf(flag: '-u' | '-g'): number {
  return Number(spawnSync('id', [flag, 'postgres'], { encoding: 'utf8' }).stdout);
}

/** A new MariaDB, which speaks MySQL's protocol, with an empty database `test`, and no tables that say who may do what. */
export async function startMariadb(): Promise<PeerServer> {
  const folder = mkdtempSync(join(tmpdir(), 'signalbox-mariadb-'));
  const data = join(folder, 'data');
  // A folder is a database.
  mkdirSync(join(data, 'test'), { recursive: true });
  const port = await freePort();
  const options = ['--no-defaults', `--datadir=${data}`, `--port=${port}`, '--bind-address=127.0.0.1'];
  const own = [
    `--socket=${join(folder, 'socket')}`,
    `--pid-file=${join(folder, 'pid')}`,
    '--skip-name-resolve',
    '--skip-grant-tables',
  ];
  const user = process.getuid?.() === 0 ? ['--user=root'] : [];
  return new PeerServer(port, ['mariadbd', ...options, ...own, ...user], { folder }).start();
}

/** RabbitMQ's own script: Debian's wrapper changes the user. */
export function rabbitmqProgram(): string | undefined {
  const script = '/usr/lib/rabbitmq/bin/rabbitmq-server';
  return existsSync(script) ? script : undefined;
}

/** A new node with Erlang's port mapper for itself, which is gone with it. */
export async function startRabbitmq(): Promise<PeerServer> {
  const program = rabbitmqProgram();
  if (program === undefined) throw new Error('RabbitMQ is not installed: apt-get install rabbitmq-server');
  const folder = mkdtempSync(join(tmpdir(), 'signalbox-rabbitmq-'));
  const [port, distribution, mapper] = [await freePort(), await freePort(), await freePort()];
  const env = {
    HOME: folder,
    ERL_EPMD_ADDRESS: '127.0.0.1',
    ERL_EPMD_PORT: String(mapper),
    RABBITMQ_NODENAME: `signalbox-${port}@localhost`,
    RABBITMQ_NODE_PORT: String(port),
    RABBITMQ_NODE_IP_ADDRESS: '127.0.0.1',
    RABBITMQ_DIST_PORT: String(distribution),
    RABBITMQ_MNESIA_BASE: folder,
    RABBITMQ_LOG_BASE: folder,
    RABBITMQ_LOGS: '-',
    RABBITMQ_ENABLED_PLUGINS_FILE: join(folder, 'plugins'),
    RABBITMQ_CONF_ENV_FILE: join(folder, 'none'),
  };
  const end = (): void => void spawnSync('epmd', ['-port', String(mapper), '-kill'], { stdio: 'ignore' });
  return new PeerServer(port, [program], { env, folder, end, startMillis: 120_000 }).start();
}

/** NATS with JetStream, whose streams are on disk and so outlive a restart. */
export async function startNats(): Promise<PeerServer> {
  const folder = mkdtempSync(join(tmpdir(), 'signalbox-nats-'));
  const port = await freePort();
  const options = ['--addr', '127.0.0.1', '--port', String(port), '--jetstream', '--store_dir', folder];
  return new PeerServer(port, ['nats-server', ...options], { folder }).start();
}

/** Mosquitto, which keeps nothing beyond its own process. */
export async function startMosquitto(): Promise<PeerServer> {
  const folder = mkdtempSync(join(tmpdir(), 'signalbox-mosquitto-'));
  const port = await freePort();
  const settings = join(folder, 'mosquitto.conf');
  writeFileSync(settings, `listener ${port} 127.0.0.1\nallow_anonymous true\n`);
  return new PeerServer(port, ['mosquitto', '-c', settings], { folder }).start();
}

/**
 * The folder of Kafka's jars (org.apache.kafka:kafka_2.13 with all that it needs), which SIGNALBOX_TEST_KAFKA names; Debian has
 * no package of it. Undefined where there is none.
 */
export function kafkaJars(): string | undefined {
  const folder = process.env.SIGNALBOX_TEST_KAFKA;
  return folder !== undefined && existsSync(folder) ? folder : undefined;
}

/** One node of Kafka, which is its own controller. @param ports where it listens, and where it tells clients that it does */
export async function startKafka(ports?: { readonly own: number; readonly told: number }): Promise<PeerServer> {
  const jars = kafkaJars();
  if (jars === undefined) throw new Error('SIGNALBOX_TEST_KAFKA names no folder with the jars of Kafka');
  const folder = mkdtempSync(join(tmpdir(), 'signalbox-kafka-'));
  const [port, controller] = [ports?.own ?? (await freePort()), await freePort()];
  const properties = {
    'process.roles': 'broker,controller',
    'node.id': '1',
    'controller.quorum.voters': `1@127.0.0.1:${controller}`,
    'controller.listener.names': 'CONTROLLER',
    listeners: `PLAINTEXT://127.0.0.1:${port},CONTROLLER://127.0.0.1:${controller}`,
    'advertised.listeners': `PLAINTEXT://127.0.0.1:${ports?.told ?? port}`,
    'log.dirs': join(folder, 'data'),
    'offsets.topic.num.partitions': '1',
    'offsets.topic.replication.factor': '1',
    'transaction.state.log.num.partitions': '1',
    'transaction.state.log.replication.factor': '1',
    'transaction.state.log.min.isr': '1',
    'group.initial.rebalance.delay.ms': '0',
  };
  const file = join(folder, 'server.properties');
  writeFileSync(
    file,
    Object.entries(properties)
      .map(([name, value]) => `${name}=${value}\n`)
      .join(''),
  );
  const java = ['-Xmx512m', '-cp', join(jars, '*')];
  const format = ['kafka.tools.StorageTool', 'format', '-t', randomBytes(16).toString('base64url'), '-c', file];
  const formatted = spawnSync('java', [...java, ...format], { encoding: 'utf8' });
  if (formatted.status !== 0) throw new Error(`Kafka's storage could not be made: ${formatted.stderr}`);
  return new PeerServer(port, ['java', ...java, 'kafka.Kafka', file], { folder, startMillis: 240_000 }).start();
}

/**
 * The folder of OpenSearch's jars (org.opensearch:opensearch 2.19, org.opensearch.plugin:transport-netty4-client, log4j-core, with all
 * that they need), which SIGNALBOX_TEST_OPENSEARCH names; its distribution is no package of Debian's. Undefined where there is none.
 */
export function openSearchJars(): string | undefined {
  const folder = process.env.SIGNALBOX_TEST_OPENSEARCH;
  return folder !== undefined && existsSync(folder) ? folder : undefined;
}

/** The server inside a program of ours: its own scripts come with the distribution only. */
const openSearchProgram = `
import java.util.List;
import java.util.Map;
import org.opensearch.common.settings.Settings;
import org.opensearch.node.InternalSettingsPreparer;
import org.opensearch.node.Node;
import org.opensearch.transport.Netty4Plugin;

public class OpenSearchNode extends Node {
  OpenSearchNode(Settings settings) {
    super(InternalSettingsPreparer.prepareEnvironment(settings, Map.of(), null, () -> "signalbox"), List.of(Netty4Plugin.class), false);
  }

  public static void main(String[] settings) throws Exception {
    Settings.Builder builder = Settings.builder();
    for (String setting : settings) builder.put(setting.split("=", 2)[0], setting.split("=", 2)[1]);
    new OpenSearchNode(builder.build()).start();
    Thread.sleep(Long.MAX_VALUE);
  }
}
`;

/** One node of OpenSearch, without its security plug-in, whose indices are on disk and so outlive a restart. */
export async function startOpenSearch(): Promise<PeerServer> {
  const jars = openSearchJars();
  if (jars === undefined) throw new Error('SIGNALBOX_TEST_OPENSEARCH names no folder with the jars of OpenSearch');
  const folder = mkdtempSync(join(tmpdir(), 'signalbox-opensearch-'));
  mkdirSync(join(folder, 'config'));
  const program = join(folder, 'OpenSearchNode.java');
  writeFileSync(program, openSearchProgram);
  const [port, transport] = [await freePort(), await freePort()];
  const settings = {
    'path.home': folder,
    'discovery.type': 'single-node',
    'transport.type': 'netty4',
    'transport.host': '127.0.0.1',
    'transport.port': String(transport),
    'http.type': 'netty4',
    'http.host': '127.0.0.1',
    'http.port': String(port),
    'cluster.routing.allocation.disk.threshold_enabled': 'false',
  };
  const all = Object.entries(settings).map(([name, value]) => `${name}=${value}`);
  const command = ['java', '-Xmx512m', '-cp', join(jars, '*'), program, ...all] as const;
  return new PeerServer(port, command, { folder, startMillis: 240_000 }).start();
}
