import { once } from 'node:events';
import { createServer } from 'node:net';

/** A port that was free a moment ago. */
export async function freePort() {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address();
  server.close();
  await once(server, 'close');
  return port;
}

/** Throws one Error that names every port that is taken, and the flag that changes it. */
export async function checkPorts(ports) {
  const taken = [];
  for (const [flag, port] of Object.entries(ports)) {
    if (port === 0) continue;
    const server = createServer();
    const outcome = await new Promise((resolve) => {
      server.once('error', resolve);
      server.listen(port, '127.0.0.1', () => resolve(null));
    });
    if (outcome)
      taken.push(
        `Port ${port} cannot be used (${outcome.code}); choose another with --${flag} N, or 0 for a free one.`,
      );
    else await new Promise((resolve) => server.close(resolve));
  }
  if (taken.length === 0) return;
  throw new Error(
    `${taken.join('\n')}\nFor instance: npm run demo -- ${taken.map((line) => /--\S+/.exec(line)[0]).join(' 0 ')} 0`,
  );
}
