import type { Logger } from 'pino';
import type { Agent } from '../agents/agent.ts';
import type { Instruments } from '../telemetry/instruments.ts';
import type { ChatTurn, WorkerClient } from '../worker/worker-client.ts';

/** One turn of a conversation with an agent, measured by agent, project and model. */
export class ChatService {
  readonly #worker: WorkerClient;
  readonly #log: Logger;
  readonly #instruments: Pick<Instruments, 'chatTokens' | 'chatDuration'>;

  constructor(worker: WorkerClient, log: Logger, instruments: Pick<Instruments, 'chatTokens' | 'chatDuration'>) {
    this.#worker = worker;
    this.#log = log;
    this.#instruments = instruments;
  }

  async answer(agent: Agent, message: string): Promise<ChatTurn> {
    const { chatTokens, chatDuration } = this.#instruments;
    const attributes = { 'agent.id': agent.id, 'project.id': agent.projectId, model: agent.model };
    const started = performance.now();
    const turn = await this.#worker.chat(agent, message);
    chatDuration.record((performance.now() - started) / 1000, { model: agent.model });
    chatTokens.add(turn.usage.totalTokens, attributes);
    this.#log.info({ agent_id: agent.id, tokens: turn.usage.totalTokens }, 'chat answered');
    return turn;
  }
}
