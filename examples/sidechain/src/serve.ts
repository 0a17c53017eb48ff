import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Redis } from 'ioredis';
import pg from 'pg';
import { pino } from 'pino';
import { createApp } from './api-app.ts';
import type { Config } from './config.ts';
import { HttpApi } from './external/http-api.ts';
import { FeedCache } from './feed/feed-cache.ts';
import { FeedService } from './feed/feed-service.ts';
import { PostRepository } from './feed/post-repository.ts';

/** Serves until SIGTERM or SIGINT; what telemetry is left is delivered by the SDK. */
export async function serve(config: Config): Promise<void> {
  // JSON lines for Promtail; trace and span ids come from the SDK.
  const log = pino({ base: null, formatters: { level: (label) => ({ level: label }) } });
  const pool = new pg.Pool({ connectionString: config.databaseUrl, connectionTimeoutMillis: 3_000 });
  pool.on('error', (error) => log.error({ err: error }, 'a connection of the pool failed'));
  const redis = new Redis(config.redisUrl, { maxRetriesPerRequest: 1 });
  redis.on('error', (error) => log.warn({ err: error }, 'the cache cannot be reached'));
  const posts = new PostRepository(pool);
  await posts.createTable();
  const feed = new FeedService({
    posts,
    cache: new FeedCache(redis, log),
    stream: new HttpApi(config.streamUrl),
    search: new HttpApi(config.elasticsearchUrl),
    log,
  });
  const server = createServer(createApp(feed, log)).listen(config.port, '127.0.0.1');
  await once(server, 'listening');
  log.info({ url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` }, 'sidechain listens');
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.once(signal, () => {
      server.close(() => {
        redis.disconnect();
        pool.end().then(
          () => process.exit(0),
          () => process.exit(1),
        );
      });
      server.closeIdleConnections();
    });
  }
}
