import type { AddressInfo, Server } from 'node:net';
import { SignalboxError } from './signalbox-error.ts';

export interface ListenOptions {
  readonly host: string;
  /** 0 lets the system choose. */
  readonly port: number;
  /** What listens, for error messages: `OTLP/HTTP`. */
  readonly what: string;
  /** Name of the setting that decides the port: `otlp-http-port`. */
  readonly setting: string;
}

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
    server.listen({ host: options.host, port: options.port });
  });
}

function listenError(error: NodeJS.ErrnoException, { host, port, what, setting }: ListenOptions): SignalboxError {
  const variable = `SIGNALBOX_${setting.toUpperCase().replaceAll('-', '_')}`;
  const change = `Choose another with --${setting} or ${variable}`;
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
        hint: 'Choose another with --host or SIGNALBOX_HOST.',
      });
    default:
      return new SignalboxError('unavailable', `Cannot listen on ${host}:${port} for ${what}: ${error.message}`, {
        cause: error,
        retryable: false,
      });
  }
}
