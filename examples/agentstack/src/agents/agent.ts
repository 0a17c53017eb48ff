export const FRAMEWORKS = ['langgraph', 'crewai', 'autogen', 'custom'] as const;
export type Framework = (typeof FRAMEWORKS)[number];

export interface AgentInput {
  readonly name: string;
  readonly framework: Framework;
  /** Which model answers for the agent. */
  readonly model: string;
}

export interface Agent extends AgentInput {
  readonly id: string;
  readonly projectId: string;
  readonly status: 'active' | 'failed';
}

/** What a request asks for that cannot be; the message is for the client. */
export class InvalidInputError extends Error {
  override name = 'InvalidInputError';
}

export function readAgentInput(body: unknown): AgentInput {
  const { name, framework, model = 'gpt-4o-mini' } = (body ?? {}) as Record<string, unknown>;
  if (typeof name !== 'string' || !/^[a-z0-9][a-z0-9-]{0,62}$/.test(name))
    throw new InvalidInputError('name is 1 to 63 lower-case letters, digits and dashes');
  if (!FRAMEWORKS.includes(framework as Framework))
    throw new InvalidInputError(`framework is one of ${FRAMEWORKS.join(', ')}`);
  if (typeof model !== 'string' || model === '' || model.length > 100)
    throw new InvalidInputError('model is a text of at most 100 characters');
  return { name, framework: framework as Framework, model };
}
