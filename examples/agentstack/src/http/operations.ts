import { Router } from 'express';
import type { RunningTelemetry } from '../telemetry/start-telemetry.ts';

/** What operators ask both programs for; not counted as requests. */
export function operations(scrape: RunningTelemetry['scrape']): Router {
  const router = Router();
  router.get('/health', (_request, response) => void response.json({ status: 'ok' }));
  if (scrape !== null)
    router.get('/metrics', async (_request, response) => {
      response.type('text/plain; version=0.0.4; charset=utf-8').send(await scrape());
    });
  return router;
}
