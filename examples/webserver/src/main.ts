// Starts the nodes, each a process of its own, tells each where the others are, and ends them on SIGTERM or SIGINT.
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';

/** What a node says once it listens. */
interface Listening {
  readonly name: string;
  readonly rpcPort: number;
  readonly url: string;
}

const count = Math.min(Math.max(Number(process.env.WEBSERVER_NODES ?? 3), 1), 9);
const firstPort = Number(process.env.WEBSERVER_PORT ?? 8090);
const children: ChildProcess[] = [];

for (const signal of ['SIGTERM', 'SIGINT'] as const) {
  process.once(signal, () => {
    for (const child of children) child.kill('SIGTERM');
    Promise.all(children.map((child) => child.exitCode ?? once(child, 'exit'))).then(
      () => process.exit(0),
      () => process.exit(1),
    );
  });
}

const nodes = await Promise.all(
  Array.from({ length: count }, async (_, index): Promise<Listening> => {
    const port = firstPort === 0 ? 0 : firstPort + index;
    const child = fork(new URL('./node.js', import.meta.url), [`node-${index + 1}`, String(port)]);
    children.push(child);
    const [listening] = (await once(child, 'message')) as [Listening];
    return listening;
  }),
);
for (const child of children) child.send({ nodes: nodes.map(({ name, rpcPort }) => ({ name, port: rpcPort })) });
console.log(JSON.stringify({ msg: 'webserver listens', urls: nodes.map(({ url }) => url) }));
