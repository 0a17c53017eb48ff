import { context, propagation } from '@opentelemetry/api';
import type { Logger } from 'pino';
import type { Agent } from '../agents/agent.ts';
import type { Instruments } from '../telemetry/instruments.ts';
import type { ChatTurn, WorkerClient } from '../worker/worker-client.ts';

/** One turn of a conversation with an agent. */
export class ChatService {
  readonly #worker: WorkerClient;
  readonly #log: Logger;
  readonly #instruments: Pick<Instruments, 'chatDuration'>;

  constructor(worker: WorkerClient, log: Logger, instruments: Pick<Instruments, 'chatDuration'>) {
    this.#worker = worker;
    this.#log = log;
    this.#instruments = instruments;
  }

  async answer(agent: Agent, message: string): Promise<ChatTurn> {
    // Baggage travels with the trace: the worker's SDK counts the tokens of the model by agent and project.
    const baggage = propagation.createBaggage({
      'agent.id': { value: agent.id },
      'project.id': { value: agent.projectId },
    });
    const inside = propagation.setBaggage(context.active(), baggage);
    const started = performance.now();
    const turn = await context.with(inside, () => this.#worker.chat(agent, message));
    this.#instruments.chatDuration.record((performance.now() - started) / 1000, { model: agent.model });
    this.#log.info({ agent_id: agent.id, tokens: turn.usage.totalTokens }, 'chat answered');
    return turn;
  }
}
