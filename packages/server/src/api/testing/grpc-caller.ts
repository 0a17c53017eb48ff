import { Client, type ClientOptions, credentials } from '@grpc/grpc-js';
import { type MessageFields, readMessage } from '../protobuf-fields.ts';

/** A client of gRPC's own library for one service, with messages as their fields. */
export class GrpcCaller {
  readonly #service: string;
  readonly #client: Client;

  /** @param service with its package: `tempopb.StreamingQuerier` */
  constructor(service: string, port: number, options?: ClientOptions) {
    this.#service = service;
    this.#client = new Client(`127.0.0.1:${port}`, credentials.createInsecure(), options);
  }

  /** All messages of a call, which a unary method has one of. */
  call(method: string, ...parts: readonly Uint8Array[]): Promise<MessageFields[]> {
    return new Promise((resolve, reject) => {
      const stream = this.#client.makeServerStreamRequest(
        `/${this.#service}/${method}`,
        (request: Uint8Array) => Buffer.from(request),
        readMessage,
        Buffer.concat(parts),
        { deadline: Date.now() + 30_000 },
      );
      const messages: MessageFields[] = [];
      stream.on('data', (message: MessageFields) => messages.push(message));
      stream.on('end', () => resolve(messages));
      stream.on('error', reject);
    });
  }

  close(): void {
    this.#client.close();
  }
}
