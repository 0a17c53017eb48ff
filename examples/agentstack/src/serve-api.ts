import { metrics, trace } from '@opentelemetry/api';
import { AgentRepository } from './agents/agent-repository.ts';
import { AgentService } from './agents/agent-service.ts';
import { ChatService } from './chat/chat-service.ts';
import type { ApiConfig } from './config.ts';
import { createApiApp } from './http/api-app.ts';
import { listen } from './http/listen.ts';
import { createLogger } from './telemetry/create-logger.ts';
import { createInstruments } from './telemetry/instruments.ts';
import type { RunningTelemetry } from './telemetry/start-telemetry.ts';
import { WorkerClient } from './worker/worker-client.ts';

/** Wires the API's parts together and serves. */
export async function serveApi(config: ApiConfig, telemetry: RunningTelemetry): Promise<void> {
  const log = createLogger(config.logLevel);
  const instruments = createInstruments(metrics.getMeter('agentstack'));
  const repository = new AgentRepository();
  const worker = new WorkerClient(config.workerUrl);
  const tracer = trace.getTracer('agentstack/agent');
  const agents = new AgentService({ repository, worker, tracer, log, instruments });
  const chat = new ChatService(worker, log, instruments);
  const app = createApiApp({ agents, chat, repository, instruments, log, scrape: telemetry.scrape });
  const { host, port } = config;
  await listen(app, { name: 'agentstack-api', host, port, portVariable: 'AGENTSTACK_API_PORT', log, telemetry });
}
