/** What is asked of a model, in the words of the conventions. */
export interface ModelRequest {
  /** `gen_ai.provider.name`. */
  readonly provider: string;
  readonly operation: 'chat' | 'embeddings' | 'text_completion';
  readonly model: string;
  /** Where the request goes, e.g. `https://api.openai.com/v1`. */
  readonly baseUrl: string | undefined;
  readonly isStream: boolean;
  /** Further `gen_ai.request.…` attributes by the end of their names; what is undefined is left out. */
  readonly settings: Readonly<Record<string, string | number | string[] | undefined>>;
  readonly outputType?: string | undefined;
  /** Asked for only where content is recorded. */
  readonly messages: () => readonly Message[];
}

export interface Message {
  readonly role: string;
  readonly text: string;
}

/** What is known of the answer; for streams it comes in pieces. */
export interface ModelAnswer {
  readonly id?: string | undefined;
  readonly model?: string | undefined;
  readonly finishReasons?: readonly string[] | undefined;
  readonly inputTokens?: number | undefined;
  readonly outputTokens?: number | undefined;
  readonly dimensions?: number | undefined;
  /** Pieces are put together. */
  readonly text?: string | undefined;
}

/** The newer piece's fields over the older one's. */
export function mergeAnswers(older: ModelAnswer, newer: ModelAnswer): ModelAnswer {
  const known = Object.fromEntries(Object.entries(newer).filter(([, value]) => value !== undefined));
  const text = newer.text === undefined ? older.text : (older.text ?? '') + newer.text;
  return { ...older, ...known, ...(text !== undefined && { text }) };
}
