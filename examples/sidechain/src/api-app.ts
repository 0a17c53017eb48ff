import { getRequestSpan } from '@signalbox/node';
import express, { type ErrorRequestHandler, type Express, type RequestHandler } from 'express';
import type { Logger } from 'pino';
import { type FeedService, feedTypes, isFeedType } from './feed/feed-service.ts';

const maxCaption = 500;

export function createApp(feed: FeedService, log: Logger): Express {
  const app = express();
  app.disable('x-powered-by');
  app.use(express.json({ limit: '16kb' }));
  app.use(identifyUser);
  app.get('/health', (_request, response) => {
    response.json({ status: 'ok' });
  });
  app.get('/api/v1/feed/:type', async (request, response) => {
    const { type } = request.params;
    if (!isFeedType(type)) {
      response.status(404).json({ error: `there is no feed ${type}; there are ${feedTypes.join(', ')}` });
      return;
    }
    getRequestSpan()?.setAttribute('feed.type', type);
    const posts = await feed.read(type);
    log.info({ feed: type, posts: posts.length }, 'feed read');
    response.json({ posts });
  });
  app.post('/api/v1/posts', async (request, response) => {
    const caption: unknown = request.body?.caption;
    if (typeof caption !== 'string' || caption === '' || caption.length > maxCaption) {
      response.status(400).json({ error: `caption must be a text of 1 to ${maxCaption} characters` });
      return;
    }
    const post = await feed.publish(request.get('x-user-id') ?? 'anonymous', caption);
    response.status(201).json(post);
  });
  app.use(answerError(log));
  return app;
}

/** Whoever asks, as the gateway before this service has found out. */
const identifyUser: RequestHandler = (request, _response, next) => {
  const user = request.get('x-user-id');
  if (user !== undefined) getRequestSpan()?.setAttribute('user.id', user.slice(0, 64));
  next();
};

function answerError(log: Logger): ErrorRequestHandler {
  return (error: unknown, _request, response, next) => {
    if (response.headersSent) {
      next(error);
      return;
    }
    const status: unknown = typeof error === 'object' && error !== null ? Reflect.get(error, 'status') : undefined;
    const isClients = typeof status === 'number' && status >= 400 && status < 500;
    if (!isClients) log.error({ err: error }, 'request failed');
    response
      .status(isClients ? status : 502)
      .json({ error: isClients ? 'the request is not valid' : 'something failed behind this service' });
  };
}
