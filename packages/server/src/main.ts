import { type Command, helpText, parseCommandLine } from './config/command-line.ts';
import { ConfigError } from './config/load-config.ts';
import { version } from './version.ts';

/** Runs the program with the arguments after its name; sets `process.exitCode`. 2 stands for arguments or settings that can't be used. */
export async function main(args: string[]): Promise<void> {
  let command: Command;
  try {
    command = parseCommandLine(args);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    console.error(error.message);
    process.exitCode = 2;
    return;
  }
  if (command.kind === 'help') console.log(helpText());
  else if (command.kind === 'version') console.log(version);
  else throw new Error(`${command.kind} is not wired yet`);
}
