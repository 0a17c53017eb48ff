import { type Counter, trace } from '@opentelemetry/api';
import type { Logger } from 'pino';
import { type DeployEvent, parseDeployEvent } from '../deploy/deploy-events.ts';
import { json, problem } from '../http/reply.ts';
import type { Route } from '../http/router.ts';

/** `POST /api/deploy/events` takes what a deploy script reports, `GET /api/deploy/last` shows the latest. */
export function deployRoutes(log: Logger, deployEvents: Counter): Route[] {
  let last: DeployEvent | null = null;
  return [
    {
      method: 'POST',
      path: '/api/deploy/events',
      handle: async (incoming) => {
        const event = parseDeployEvent(await incoming.json(), new Date());
        last = event;
        const { outcome, version, commit, environment } = event;
        deployEvents.add(1, { outcome });
        trace.getActiveSpan()?.setAttribute('chimney.deploy.outcome', outcome);
        const level = outcome === 'success' ? 'info' : 'warn';
        log[level]({ outcome, version, commit, environment }, 'deploy event');
        return json(202, event);
      },
    },
    {
      method: 'GET',
      path: '/api/deploy/last',
      handle: () => (last ? json(200, last) : problem(404, 'No deploy event has been received yet.')),
    },
  ];
}
