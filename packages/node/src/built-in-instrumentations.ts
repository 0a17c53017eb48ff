import { changeSurface } from './changes/change-surface.ts';
import { elasticsearchInstrumentation } from './database/elasticsearch.ts';
import { ioredisInstrumentation } from './database/ioredis.ts';
import { memjsInstrumentation } from './database/memjs.ts';
import { nodeRedisInstrumentation } from './database/node-redis.ts';
import { openSearchInstrumentation } from './database/opensearch.ts';
import { betterSqlite3Instrumentation } from './database/sql/better-sqlite3.ts';
import { mysql2Instrumentation } from './database/sql/mysql2.ts';
import { nodeSqliteInstrumentation } from './database/sql/node-sqlite.ts';
import { pgInstrumentation } from './database/sql/pg.ts';
import { eventBusInstrumentation } from './events/observe-event-bus.ts';
import { eventInstrumentation } from './events/record-event.ts';
import { functionSurface } from './functions/function-surface.ts';
import { httpClientInstrumentation } from './http/client.ts';
import { fetchInstrumentation } from './http/fetch.ts';
import { expressInstrumentation } from './http/frameworks/express.ts';
import { fastifyInstrumentation } from './http/frameworks/fastify.ts';
import { h3Instrumentation } from './http/frameworks/h3.ts';
import { honoInstrumentation } from './http/frameworks/hono.ts';
import { koaInstrumentation } from './http/frameworks/koa.ts';
import { nestInstrumentation } from './http/frameworks/nestjs.ts';
import { http2ServerInstrumentation } from './http/http2-server.ts';
import { httpServerInstrumentation } from './http/server.ts';
import type { Instrumentation } from './instrumentation.ts';
import { jobSurface } from './jobs/job-surface.ts';
import { llmInstrumentation } from './llm/llm-instrumentation.ts';
import { bunyanInstrumentation } from './logging/bunyan.ts';
import { consoleInstrumentation } from './logging/console.ts';
import { pinoInstrumentation } from './logging/pino.ts';
import { winstonInstrumentation } from './logging/winston.ts';
import { amqplibInstrumentation } from './messaging/amqplib.ts';
import { bullmqInstrumentation } from './messaging/bullmq.ts';
import { kafkajsInstrumentation } from './messaging/kafkajs.ts';
import { mqttInstrumentation } from './messaging/mqtt.ts';
import { natsInstrumentation } from './messaging/nats/nats.ts';
import { queueSurface } from './messaging/queue-surface.ts';
import { hostMetricsInstrumentation } from './metrics/host-metrics.ts';
import { processMetricsInstrumentation } from './metrics/process-metrics.ts';
import { runtimeInstrumentation } from './metrics/runtime.ts';
import { processSurface } from './processes/process-surface.ts';
import { storeSurface } from './stores/store-surface.ts';
import { webSocketSurface } from './websocket/websocket-surface.ts';
import { temporalSurface } from './workflows/temporal-surface.ts';

/** What `start` enables unless told otherwise. */
export const builtInInstrumentations: readonly Instrumentation[] = [
  httpServerInstrumentation,
  http2ServerInstrumentation,
  httpClientInstrumentation,
  fetchInstrumentation,
  { ...expressInstrumentation, packages: ['express', 'router'] },
  fastifyInstrumentation,
  { ...koaInstrumentation, packages: ['koa', 'koa-mount'] },
  { ...honoInstrumentation, packages: ['hono'] },
  { ...nestInstrumentation, packages: ['@nestjs/core'] },
  h3Instrumentation,
  {
    ...ioredisInstrumentation,
    packages: ['ioredis'],
    channels: channelsOf('ioredis', ['command', 'batch', 'connect']),
  },
  { ...nodeRedisInstrumentation, channels: channelsOf('node-redis', ['command', 'batch', 'connect']) },
  { ...memjsInstrumentation, packages: ['memjs'] },
  { ...pgInstrumentation, packages: ['pg', 'pg-pool'] },
  { ...mysql2Instrumentation, channels: channelsOf('mysql2', ['query', 'execute', 'connect', 'pool:connect']) },
  { ...elasticsearchInstrumentation, packages: ['@elastic/transport'] },
  { ...openSearchInstrumentation, packages: ['@opensearch-project/opensearch'] },
  nodeSqliteInstrumentation,
  { ...betterSqlite3Instrumentation, packages: ['better-sqlite3'] },
  { ...bullmqInstrumentation, packages: ['bullmq'] },
  { ...amqplibInstrumentation, packages: ['amqplib'] },
  { ...natsInstrumentation, packages: ['nats', '@nats-io/nats-core', '@nats-io/jetstream'] },
  { ...mqttInstrumentation, packages: ['mqtt'] },
  { ...kafkajsInstrumentation, packages: ['kafkajs'] },
  pinoInstrumentation,
  { ...winstonInstrumentation, packages: ['winston'] },
  { ...bunyanInstrumentation, packages: ['bunyan'] },
  consoleInstrumentation,
  runtimeInstrumentation,
  processMetricsInstrumentation,
  hostMetricsInstrumentation,
  functionSurface.instrumentation,
  queueSurface.instrumentation,
  processSurface.instrumentation,
  storeSurface.instrumentation,
  jobSurface.instrumentation,
  eventInstrumentation,
  eventBusInstrumentation,
  webSocketSurface.instrumentation,
  changeSurface.instrumentation,
  temporalSurface.instrumentation,
  { ...llmInstrumentation, packages: ['openai', '@anthropic-ai/sdk', 'ai'], channels: ['tracing:ai:telemetry:start'] },
];

/** Names of what these tracing channels publish first. */
function channelsOf(prefix: string, names: readonly string[]): readonly string[] {
  return names.map((name) => `tracing:${prefix}:${name}:start`);
}
