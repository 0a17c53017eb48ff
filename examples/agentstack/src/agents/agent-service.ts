import { randomUUID } from 'node:crypto';
import { type Span, SpanStatusCode, type Tracer } from '@opentelemetry/api';
import type { Logger } from 'pino';
import type { Instruments } from '../telemetry/instruments.ts';
import type { WorkerClient } from '../worker/worker-client.ts';
import { type Agent, readAgentInput } from './agent.ts';
import type { AgentRepository } from './agent-repository.ts';

export interface AgentServiceParts {
  readonly repository: AgentRepository;
  readonly worker: WorkerClient;
  readonly tracer: Tracer;
  readonly log: Logger;
  readonly instruments: Pick<Instruments, 'agentsActive' | 'agentDeployDuration'>;
}

/** Creates agents, has them deployed by the worker, and takes them down. */
export class AgentService {
  readonly #parts: AgentServiceParts;

  constructor(parts: AgentServiceParts) {
    this.#parts = parts;
  }

  /** @throws InvalidInputError, DuplicateAgentError, WorkerError */
  async create(projectId: string, body: unknown): Promise<Agent> {
    const { tracer } = this.#parts;
    const { name, framework } = (body ?? {}) as Record<string, unknown>;
    const attributes = {
      'project.id': projectId,
      ...(typeof name === 'string' && { 'agent.name': name }),
      ...(typeof framework === 'string' && { 'agent.framework': framework }),
    };
    return await tracer.startActiveSpan('agent.Create', { attributes }, async (span) => {
      try {
        return await this.#create(projectId, body, span);
      } finally {
        span.end();
      }
    });
  }

  remove(id: string): boolean {
    const agent = this.#parts.repository.get(id);
    if (agent === undefined || !this.#parts.repository.remove(id)) return false;
    this.#parts.instruments.agentsActive.add(-1, { framework: agent.framework });
    this.#parts.log.info({ agent_id: id }, 'agent removed');
    return true;
  }

  async #create(projectId: string, body: unknown, span: Span): Promise<Agent> {
    const { repository, worker, log, instruments } = this.#parts;
    const input = attempt(span, 'validation failed', () => readAgentInput(body));
    const { name, framework } = input;
    log.info({ name, framework }, 'creating agent');
    const started = performance.now();
    let agent: Agent;
    try {
      agent = repository.create({ ...input, id: randomUUID(), projectId, status: 'active' });
      try {
        await worker.deploy(agent);
      } catch (error) {
        repository.remove(agent.id);
        throw error;
      }
    } catch (error) {
      fail(span, 'create failed', error);
      log.error({ err: error, name }, 'failed to create agent');
      throw error;
    }
    instruments.agentDeployDuration.record((performance.now() - started) / 1000, { framework });
    instruments.agentsActive.add(1, { framework });
    span.setAttribute('agent.id', agent.id);
    // A description beside OK is dropped by every SDK, as the specification has it.
    span.setStatus({ code: SpanStatusCode.OK });
    log.info({ agent_id: agent.id }, 'agent created');
    return agent;
  }
}

function attempt<Result>(span: Span, failure: string, run: () => Result): Result {
  try {
    return run();
  } catch (error) {
    fail(span, failure, error);
    throw error;
  }
}

function fail(span: Span, message: string, error: unknown): void {
  span.recordException(error instanceof Error ? error : String(error));
  span.setStatus({ code: SpanStatusCode.ERROR, message });
}
