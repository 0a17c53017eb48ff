/**
 * Both receivers as a process of their own, over consumers that keep nothing: what a test measures from outside, such as
 * memory, is then the receivers' alone. Its one argument is a JSON `ReceiverProcessOptions`; prints a JSON
 * `ReceiverProcessReady` when it listens, and ends with its standard input.
 */
import { ALL_ACCEPTED, type Consumer } from '../../pipeline/consumer.ts';
import { startReceivers } from './receivers.ts';

export interface ReceiverProcessOptions {
  readonly maxRequestBytes: number;
  readonly maxInFlightBytes: number;
  /** How long a consumer takes, in milliseconds. */
  readonly consumeMs: number;
}

export interface ReceiverProcessReady {
  readonly httpPort: number;
  readonly grpcPort: number;
}

const { consumeMs, ...limits } = JSON.parse(process.argv[2] ?? '{}') as ReceiverProcessOptions;

const forgetful: Consumer<unknown> = {
  consume: async () => {
    await new Promise((resolve) => setTimeout(resolve, consumeMs));
    return ALL_ACCEPTED;
  },
};

const receivers = await startReceivers({
  service: {
    ...limits,
    consumers: { traces: forgetful, metrics: forgetful, logs: forgetful },
    onInternalError: (error) => console.error('internal error:', error),
  },
});
const ready: ReceiverProcessReady = { httpPort: receivers.http.address.port, grpcPort: receivers.grpc.address.port };
console.log(JSON.stringify(ready));
process.stdin.resume().on('end', () => process.exit(0));
