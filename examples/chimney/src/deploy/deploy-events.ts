import { RequestError } from '../http/request-error.ts';

export interface DeployEvent {
  outcome: 'success' | 'failure';
  /** What was deployed; each is optional and bounded. */
  version: string | null;
  commit: string | null;
  environment: string | null;
  /** ISO 8601, when chimney received it. */
  received_at: string;
}

const maxTextLength = 200;

/** Reads the JSON that a deploy script posts. Throws RequestError 400 that says which field is wrong. */
export function parseDeployEvent(value: unknown, now: Date): DeployEvent {
  if (typeof value !== 'object' || value === null) throw new RequestError(400, 'A deploy event is a JSON object.');
  const fields = value as Record<string, unknown>;
  const { outcome } = fields;
  if (outcome !== 'success' && outcome !== 'failure') {
    throw new RequestError(400, 'outcome is "success" or "failure".');
  }
  const optional = (name: string): string | null => {
    const text = fields[name];
    if (text === undefined || text === null) return null;
    if (typeof text !== 'string' || text.length > maxTextLength) {
      throw new RequestError(400, `${name} is a text of at most ${maxTextLength} characters.`);
    }
    return text;
  };
  return {
    outcome,
    version: optional('version'),
    commit: optional('commit'),
    environment: optional('environment'),
    received_at: now.toISOString(),
  };
}
