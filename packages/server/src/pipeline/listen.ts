import type { AddressInfo, Server } from 'node:net';
import { SignalboxError } from './signalbox-error.ts';

export type ListenOptions = {
  /** A name or an address. Empty: every address of this machine; `localhost` is the IPv4 loopback, which clients try first. */
  readonly host: string;
  /** 0 lets the system choose. */
  readonly port: number;
  /** What listens, for error messages: `OTLP/HTTP`. */
  readonly what: string;
} & (
  | {
      /** Name of the setting that decides the port: `otlp-http-port`. */
      readonly setting: string;
    }
  | {
      /** Place in the configuration file that decides the address: `endpoint of receiver otlp`. */
      readonly place: string;
    }
);

/** Resolves with the address once `server` accepts connections; rejects with an error that names the setting to change. */
export function listen(server: Server, options: ListenOptions): Promise<AddressInfo> {
  return new Promise((resolve, reject) => {
    const onError = (error: NodeJS.ErrnoException) => {
      server.off('listening', onListening);
      reject(listenError(error, options));
    };
    const onListening = () => {
      server.off('error', onError);
      resolve(server.address() as AddressInfo);
    };
    server.once('error', onError);
    server.once('listening', onListening);
    const host = options.host === 'localhost' ? '127.0.0.1' : options.host;
    server.listen({ ...(host === '' ? {} : { host }), port: options.port });
  });
}

/** What an error of listening means, for sockets that `listen` does not open. */
export function listenError(error: NodeJS.ErrnoException, options: ListenOptions): SignalboxError {
  const { host, port, what } = options;
  const change = `Choose another with ${'setting' in options ? bySetting(options.setting) : options.place}`;
  switch (error.code) {
    case 'EADDRINUSE':
      return new SignalboxError('unavailable', `Port ${port} for ${what} on ${host} is taken by another process`, {
        cause: error,
        retryable: false,
        hint: `${change}, or stop that process.`,
      });
    case 'EACCES':
      return new SignalboxError('permission_denied', `No permission to listen on port ${port} for ${what}`, {
        cause: error,
        hint: `${change} (1024 or above).`,
      });
    case 'EADDRNOTAVAIL':
    case 'ENOTFOUND':
      return new SignalboxError('invalid_argument', `This machine has no address ${host} to listen on for ${what}`, {
        cause: error,
        hint: `Choose another with ${'setting' in options ? bySetting('host') : options.place}.`,
      });
    default:
      return new SignalboxError('unavailable', `Cannot listen on ${host}:${port} for ${what}: ${error.message}`, {
        cause: error,
        retryable: false,
      });
  }
}

function bySetting(setting: string): string {
  return `--${setting} or SIGNALBOX_${setting.toUpperCase().replaceAll('-', '_')}`;
}
