import { ConfigError } from './config.ts';

/** Runs a program's start-up: a setting that is wrong ends it with status 2 and one line, anything else with 1. */
export async function run(name: string, startUp: () => Promise<void>): Promise<void> {
  try {
    await startUp();
  } catch (error) {
    const isConfig = error instanceof ConfigError;
    console.error(isConfig ? `${name}: ${error.message}` : error);
    process.exit(isConfig ? 2 : 1);
  }
}
