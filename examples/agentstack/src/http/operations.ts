import { Router } from 'express';
import type { RunningTelemetry } from '../telemetry/start-telemetry.ts';

/** What operators ask both programs for; not counted as requests. */
export function operations(scrape: RunningTelemetry['scrape']): Router {
  const router = Router();
  router.get('/health', (_request, response) => void response.json({ status: 'ok' }));
  if (scrape !== null)
    router.get('/metrics', async (request, response) => {
      const { contentType, body } = await scrape(request.headers.accept);
      response.set('content-type', contentType).end(body);
    });
  return router;
}
