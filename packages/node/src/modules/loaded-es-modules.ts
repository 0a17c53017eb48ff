import { fileURLToPath } from 'node:url';

/**
 * Paths of the ES modules that were loaded before now; among them those that the running program imports statically, which
 * are all linked before its first line runs. Node has no list of them, but its debugger is told of each script: it is
 * asked and left again, which takes some milliseconds. Empty where there is no debugger.
 */
export function loadedEsModules(): readonly string[] {
  const paths: string[] = [];
  try {
    const { Session } = process.getBuiltinModule('node:inspector');
    const session = new Session();
    session.connect();
    session.on('Debugger.scriptParsed', ({ params: { url, isModule } }) => {
      if (isModule === true && url.startsWith('file:')) paths.push(fileURLToPath(url));
    });
    session.post('Debugger.enable');
    session.disconnect();
  } catch {
    // A Node without it: what is said about libraries that came too early is then less complete.
  }
  return paths;
}

/** Whether our own `register` was named on the command line: then nothing of the program is there yet. */
export function isPreloaded(): boolean {
  const given = [...process.execArgv, process.env.NODE_OPTIONS ?? ''].join(' ');
  return /(?:@signalbox\/node\/register\b|[\\/]register\.c?js\b)/.test(given);
}
