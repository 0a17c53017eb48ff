import {
  type Metadata,
  Server,
  ServerCredentials,
  type ServerUnaryCall,
  type ServiceDefinition,
  type sendUnaryData,
} from '@grpc/grpc-js';
import { OtlpSink } from './otlp-sink.ts';

const signals = { trace: '/v1/traces', metrics: '/v1/metrics', logs: '/v1/logs' } as const;
const serviceNames = { trace: 'TraceService', metrics: 'MetricsService', logs: 'LogsService' } as const;
const identity = (bytes: Buffer): Buffer => bytes;

export type GrpcAnswer = (call: ServerUnaryCall<Buffer, Buffer>, done: sendUnaryData<Buffer>, take: () => void) => void;

/** A recording OTLP/gRPC receiver on the server of `@grpc/grpc-js`, an implementation that is not ours. */
export class OtlpGrpcSink {
  /** What was received; it listens to nothing itself. */
  readonly records = new OtlpSink();
  readonly calls: { path: string; metadata: Metadata }[] = [];
  port = 0;
  answer: GrpcAnswer = (_call, done, take) => {
    take();
    done(null, Buffer.alloc(0));
  };
  readonly #server = new Server();

  async listen(credentials = ServerCredentials.createInsecure(), port = 0): Promise<this> {
    for (const signal of ['trace', 'metrics', 'logs'] as const) {
      const path = `/opentelemetry.proto.collector.${signal}.v1.${serviceNames[signal]}/Export`;
      const definition: ServiceDefinition = {
        Export: {
          path,
          requestStream: false,
          responseStream: false,
          requestSerialize: identity,
          requestDeserialize: identity,
          responseSerialize: identity,
          responseDeserialize: identity,
        },
      };
      this.#server.addService(definition, {
        Export: (call: ServerUnaryCall<Buffer, Buffer>, done: sendUnaryData<Buffer>) => {
          this.calls.push({ path, metadata: call.metadata });
          this.answer(call, done, () => this.records.take(signals[signal], call.request, false));
        },
      });
    }
    this.port = await new Promise((resolve, reject) =>
      this.#server.bindAsync(`127.0.0.1:${port}`, credentials, (error, bound) =>
        error ? reject(error) : resolve(bound),
      ),
    );
    return this;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  close(): void {
    this.#server.forceShutdown();
  }
}
