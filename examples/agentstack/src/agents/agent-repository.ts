import type { Agent } from './agent.ts';

/** A name that the project has already. */
export class DuplicateAgentError extends Error {
  override name = 'DuplicateAgentError';
}

/** The agents of all projects, in memory. */
export class AgentRepository {
  readonly #agents = new Map<string, Agent>();

  /** Throws DuplicateAgentError when the project has an agent of this name. */
  create(agent: Agent): Agent {
    for (const { projectId, name } of this.#agents.values())
      if (projectId === agent.projectId && name === agent.name)
        throw new DuplicateAgentError(`the project has an agent named ${name} already`);
    this.#agents.set(agent.id, agent);
    return agent;
  }

  get(id: string): Agent | undefined {
    return this.#agents.get(id);
  }

  ofProject(projectId: string): Agent[] {
    return [...this.#agents.values()].filter((agent) => agent.projectId === projectId);
  }

  remove(id: string): boolean {
    return this.#agents.delete(id);
  }
}
