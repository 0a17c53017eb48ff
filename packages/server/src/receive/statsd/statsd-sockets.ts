import { createSocket, type Socket as UdpSocket } from 'node:dgram';
import { lookup } from 'node:dns/promises';
import { createServer, type Server, type Socket } from 'node:net';
import type { ListeningAddress } from '../../pipeline/component.ts';
import { type ListenOptions, listen, listenError } from '../../pipeline/listen.ts';
import type { StatsdSettings } from './statsd-settings.ts';

/** What comes in: one line, without its end. */
export type OnLine = (line: string, address: string, port: number) => void;

export interface StatsdSocket {
  readonly address: ListeningAddress;
  close(): Promise<void>;
}

export interface StatsdSocketOptions {
  readonly settings: StatsdSettings;
  /** For error messages: `endpoint of receiver statsd`. */
  readonly place: string;
  readonly onLine: OnLine;
  /** A line was longer than is allowed, and its connection closed. */
  readonly onTooLong: () => void;
  readonly onError: (error: Error) => void;
}

/** What the Collector takes; no datagram is longer. */
const MAX_LINE_BYTES = 65_527;
const MAX_CONNECTIONS = 1_024;
const LINE_END = 0x0a;

/** Listens. Rejects with an error that names the setting to change. */
export async function openStatsdSocket(options: StatsdSocketOptions): Promise<StatsdSocket> {
  return options.settings.transport === 'udp' ? await openUdp(options) : await openTcp(options);
}

async function openUdp({ settings, place, onLine, onError }: StatsdSocketOptions): Promise<StatsdSocket> {
  const { endpoint, socketBufferBytes } = settings;
  const where: ListenOptions = { ...endpoint, what: 'statsd', place };
  const { address, family } = await resolve(settings, where);
  const socket = createSocket({
    type: family === 6 ? 'udp6' : 'udp4',
    ...(socketBufferBytes === 0 ? {} : { recvBufferSize: socketBufferBytes }),
  });
  await bind(socket, endpoint.port, address, where);
  socket.on('error', onError).on('message', (packet, sender) => {
    for (const line of packet.toString('utf8').split('\n')) give(line, sender.address, sender.port, onLine);
  });
  const bound = socket.address();
  return {
    address: { protocol: 'statsd/UDP', address: shown(bound.address, bound.port) },
    close: () => new Promise((done) => socket.close(done)),
  };
}

function bind(socket: UdpSocket, port: number, address: string | undefined, where: ListenOptions): Promise<void> {
  return new Promise((done, reject) => {
    const onFailure = (error: NodeJS.ErrnoException) => {
      socket.close();
      reject(listenError(error, where));
    };
    socket.once('error', onFailure);
    // Not `exclusive: false`: two programs that share a port would each get a part.
    socket.bind({ port, ...(address === undefined ? {} : { address }), exclusive: true }, () => {
      socket.off('error', onFailure);
      done();
    });
  });
}

/** Undefined address: every one of this machine. */
async function resolve(
  { endpoint: { host }, family }: StatsdSettings,
  where: ListenOptions,
): Promise<{ address: string | undefined; family: number }> {
  if (host === '') return { address: undefined, family: family ?? 6 };
  if (host === 'localhost' && family !== 6) return { address: '127.0.0.1', family: 4 };
  try {
    return await lookup(host, family === null ? {} : { family });
  } catch (error) {
    throw listenError(error as NodeJS.ErrnoException, where);
  }
}

async function openTcp({ settings, place, onLine, onTooLong, onError }: StatsdSocketOptions): Promise<StatsdSocket> {
  const connections = new Set<Socket>();
  const server: Server = createServer((connection) => {
    connections.add(connection);
    connection.once('close', () => connections.delete(connection)).on('error', onError);
    readLines(connection, onLine, onTooLong);
  });
  server.maxConnections = MAX_CONNECTIONS;
  const where: ListenOptions = { ...settings.endpoint, what: 'statsd', place };
  const host = settings.family === null ? where.host : (await resolve(settings, where)).address;
  const bound = await listen(server, { ...where, host: host ?? (settings.family === 4 ? '0.0.0.0' : '::') });
  server.on('error', onError);
  return {
    address: { protocol: 'statsd/TCP', address: shown(bound.address, bound.port) },
    close: () =>
      new Promise((done) => {
        server.close(() => done());
        for (const connection of connections) connection.destroy();
      }),
  };
}

function readLines(connection: Socket, onLine: OnLine, onTooLong: () => void): void {
  const { remoteAddress = '', remotePort = 0 } = connection;
  let rest: Buffer = Buffer.alloc(0);
  connection.on('data', (chunk: Buffer) => {
    let from = 0;
    for (let end = chunk.indexOf(LINE_END); end >= 0; end = chunk.indexOf(LINE_END, from)) {
      const line = chunk.subarray(from, end);
      const whole = rest.length === 0 ? line : Buffer.concat([rest, line]);
      rest = Buffer.alloc(0);
      from = end + 1;
      give(whole.toString('utf8'), remoteAddress, remotePort, onLine);
    }
    rest = Buffer.concat([rest, chunk.subarray(from)]);
    if (rest.length <= MAX_LINE_BYTES) return;
    onTooLong();
    rest = Buffer.alloc(0);
    connection.removeAllListeners('data').destroy();
  });
  connection.once('end', () => give(rest.toString('utf8'), remoteAddress, remotePort, onLine));
}

function give(text: string, address: string, port: number, onLine: OnLine): void {
  const line = text.trim();
  if (line !== '') onLine(line, address, port);
}

function shown(address: string, port: number): string {
  return address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`;
}
