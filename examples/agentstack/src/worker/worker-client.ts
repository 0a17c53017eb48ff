import type { Agent } from '../agents/agent.ts';

export interface ChatTurn {
  readonly text: string;
  readonly usage: { readonly promptTokens: number; readonly completionTokens: number; readonly totalTokens: number };
}

/** The worker did not do what it was asked for. */
export class WorkerError extends Error {
  override name = 'WorkerError';
  readonly status: number;

  constructor(message: string, status: number) {
    super(message);
    this.status = status;
  }
}

/** The API's side of the worker: the trace goes along with each request. */
export class WorkerClient {
  readonly #url: string;
  readonly #timeoutMs: number;

  constructor(url: string, timeoutMs = 60_000) {
    this.#url = url;
    this.#timeoutMs = timeoutMs;
  }

  async deploy(agent: Agent): Promise<void> {
    await this.#post('/deployments', agent);
  }

  async chat(agent: Agent, message: string): Promise<ChatTurn> {
    return (await this.#post('/chat', { model: agent.model, framework: agent.framework, message })) as ChatTurn;
  }

  async #post(path: string, body: object): Promise<unknown> {
    let response: Response;
    try {
      response = await fetch(this.#url + path, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(body),
        signal: AbortSignal.timeout(this.#timeoutMs),
      });
    } catch (error) {
      throw new WorkerError(`the worker cannot be reached: ${(error as Error).message}`, 503);
    }
    const answer: unknown = await response.json().catch(() => null);
    if (response.ok) return answer;
    const reason = (answer as { error?: unknown } | null)?.error;
    throw new WorkerError(typeof reason === 'string' ? reason : `the worker answered ${response.status}`, 502);
  }
}
