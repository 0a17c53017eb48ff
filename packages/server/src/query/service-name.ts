import type { SqlParameters } from './sql-parameters.ts';

/** What records are under whose resource names no service (OpenTelemetry resource semantic conventions). */
export const unknownService = 'unknown_service';

/** A service column as it is shown. */
export function shownService(column = 'service'): string {
  return `if(${column} = '', '${unknownService}', ${column})`;
}

/** Whether a service column is the service of that name. */
export function isService(parameters: SqlParameters, name: string, column = 'service'): string {
  const placeholder = parameters.string(name);
  return name === unknownService ? `${column} IN ('', ${placeholder})` : `${column} = ${placeholder}`;
}
