// One node: `node.js <name> <port>`, started by main.ts, which tells it where the others are.
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { startTelemetry } from './telemetry.ts';

const [name = 'node-1', port = '0'] = process.argv.slice(2);
const telemetry = startTelemetry(name);
// Libraries without diagnostics channels are seen when they are loaded: after telemetry has begun.
const { Chat } = await import('./chat.ts');
const { Peer, serveRpc } = await import('./rpc.ts');
const { createNodeServer } = await import('./server.ts');
const { SharedStore } = await import('./shared-store.ts');

const store = new SharedStore(name);
const chat = new Chat();
const rpc = await serveRpc({ ...store.handlers, ...chat.handlers });
const server = createNodeServer(store, chat);
server.listen(Number(port), '127.0.0.1');
await once(server, 'listening');
process.send?.({ name, rpcPort: rpc.port, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` });

const [{ nodes }] = (await once(process, 'message')) as [{ nodes: { name: string; port: number }[] }];
const peers = nodes.filter((node) => node.name !== name).map((node) => new Peer(node));
store.join(peers);
chat.join(peers);

/** Whoever started the nodes is gone, or ends them. */
function stop(): void {
  server.closeAllConnections();
  server.close();
  rpc.server.close();
  for (const peer of peers) peer.close();
  telemetry.shutdown().then(
    () => process.exit(0),
    () => process.exit(1),
  );
}
process.once('SIGTERM', stop);
process.once('SIGINT', () => {});
process.once('disconnect', stop);
