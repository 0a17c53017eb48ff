import OpenAI from 'openai';
import type { ChatTurn } from '../worker/worker-client.ts';

export interface ModelOptions {
  readonly url: string;
  readonly key: string;
  readonly timeoutMs: number;
}

/** The language model behind the agents, through OpenAI's own client; the SDK sees its calls. */
export class Model {
  readonly #client: OpenAI;

  constructor({ url, key, timeoutMs }: ModelOptions) {
    this.#client = new OpenAI({ baseURL: url, apiKey: key, timeout: timeoutMs, maxRetries: 2 });
  }

  async answer(model: string, framework: string, message: string): Promise<ChatTurn> {
    const completion = await this.#client.chat.completions.create({
      model,
      messages: [
        { role: 'system', content: `You are an agent that runs on ${framework}.` },
        { role: 'user', content: message },
      ],
    });
    const { prompt_tokens = 0, completion_tokens = 0, total_tokens = 0 } = completion.usage ?? {};
    return {
      text: completion.choices[0]?.message.content ?? '',
      usage: { promptTokens: prompt_tokens, completionTokens: completion_tokens, totalTokens: total_tokens },
    };
  }
}
