/** What a chat completion is asked with, as far as this model looks at it. */
export interface ChatRequest {
  readonly model: string;
  readonly messages: readonly { readonly role: string; readonly content: string }[];
  readonly stream?: boolean;
}

export interface Usage {
  readonly prompt_tokens: number;
  readonly completion_tokens: number;
  readonly total_tokens: number;
}

const phrases = [
  'That depends on what you measure.',
  'Look at the slowest span first.',
  'The cache was cold, so the database answered.',
  'Try again with a smaller batch.',
  'Nothing was lost, it is only late.',
];

/** The same answer to the same question, and tokens counted as words. */
export function answerTo({ messages }: ChatRequest): { text: string; usage: Usage } {
  const question = messages.map(({ content }) => content).join('\n');
  let sum = 0;
  for (const character of question) sum = (sum * 31 + (character.codePointAt(0) ?? 0)) % 1_000_003;
  const sentences = 1 + (sum % 3);
  const text = Array.from({ length: sentences }, (_, index) => phrases[(sum + index) % phrases.length]).join(' ');
  const prompt = countWords(question);
  const completion = countWords(text);
  return {
    text,
    usage: { prompt_tokens: prompt, completion_tokens: completion, total_tokens: prompt + completion },
  };
}

function countWords(text: string): number {
  return text.split(/\s+/).filter((word) => word !== '').length;
}
