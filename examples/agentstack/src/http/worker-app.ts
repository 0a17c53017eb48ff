import { setTimeout as sleep } from 'node:timers/promises';
import { SpanStatusCode, type Tracer } from '@opentelemetry/api';
import express, { type Express } from 'express';
import type { Logger } from 'pino';
import { InvalidInputError } from '../agents/agent.ts';
import type { Model } from '../chat/model.ts';
import type { RunningTelemetry } from '../telemetry/start-telemetry.ts';
import { operations } from './operations.ts';
import { answerErrors } from './respond.ts';

export interface WorkerParts {
  readonly model: Model;
  readonly tracer: Tracer;
  readonly log: Logger;
  readonly scrape: RunningTelemetry['scrape'];
}

/** How long it takes to start an agent of each framework here. */
const startMs: Readonly<Record<string, number>> = { langgraph: 30, crewai: 60, autogen: 40, custom: 10 };

/** Runs the agents: deploys them, and asks the model for them. */
export function createWorkerApp({ model, tracer, log, scrape }: WorkerParts): Express {
  const app = express();
  app.disable('x-powered-by');
  app.use(operations(scrape));
  app.use(express.json({ limit: '64kb' }));
  app.post('/deployments', async (request, response) => {
    const { id, framework } = texts(request.body, 'id', 'framework');
    const attributes = { 'agent.id': id, 'agent.framework': framework };
    await tracer.startActiveSpan('agent.Deploy', { attributes }, async (span) => {
      await sleep(startMs[framework] ?? 10);
      span.setStatus({ code: SpanStatusCode.OK });
      span.end();
    });
    log.info({ agent_id: id }, 'agent deployed');
    response.status(201).json({ id });
  });
  app.post('/chat', async (request, response) => {
    const { model: name, framework, message } = texts(request.body, 'model', 'framework', 'message');
    response.json(await model.answer(name, framework, message));
  });
  app.use((_request, response) => void response.status(404).json({ error: 'There is nothing here.' }));
  app.use(answerErrors(log));
  return app;
}

function texts<Name extends string>(body: unknown, ...names: Name[]): Record<Name, string> {
  const given = (body ?? {}) as Record<string, unknown>;
  for (const name of names)
    if (typeof given[name] !== 'string') throw new InvalidInputError(`${name} is a text that is required`);
  return given as Record<Name, string>;
}
