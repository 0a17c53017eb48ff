import express, { type Express } from 'express';
import type { Logger } from 'pino';
import { InvalidInputError } from '../agents/agent.ts';
import type { AgentRepository } from '../agents/agent-repository.ts';
import type { AgentService } from '../agents/agent-service.ts';
import type { ChatService } from '../chat/chat-service.ts';
import type { Instruments } from '../telemetry/instruments.ts';
import type { RunningTelemetry } from '../telemetry/start-telemetry.ts';
import { operations } from './operations.ts';
import { answerErrors, measureRequests } from './respond.ts';

export interface ApiParts {
  readonly agents: AgentService;
  readonly chat: ChatService;
  readonly repository: AgentRepository;
  readonly instruments: Instruments;
  readonly log: Logger;
  readonly scrape: RunningTelemetry['scrape'];
}

/** The platform's API; nothing in here but the measured requests is about telemetry. */
export function createApiApp({ agents, chat, repository, instruments, log, scrape }: ApiParts): Express {
  const app = express();
  app.disable('x-powered-by');
  app.use(operations(scrape));
  app.use(measureRequests(instruments));
  app.use(express.json({ limit: '64kb' }));
  app.post('/v1/projects/:project/agents', async (request, response) => {
    response.status(201).json(await agents.create(request.params.project, request.body));
  });
  app.get('/v1/projects/:project/agents', (request, response) => {
    response.json({ agents: repository.ofProject(request.params.project) });
  });
  app.delete('/v1/agents/:id', (request, response) => {
    if (agents.remove(request.params.id)) response.status(204).end();
    else response.status(404).json({ error: 'There is no such agent.' });
  });
  app.post('/v1/agents/:id/chat', async (request, response) => {
    const agent = repository.get(request.params.id);
    if (agent === undefined) return void response.status(404).json({ error: 'There is no such agent.' });
    const { message } = (request.body ?? {}) as { message?: unknown };
    if (typeof message !== 'string' || message.trim() === '') throw new InvalidInputError('message is a text');
    response.json(await chat.answer(agent, message));
  });
  app.use((_request, response) => void response.status(404).json({ error: 'There is nothing here.' }));
  app.use(answerErrors(log));
  return app;
}
