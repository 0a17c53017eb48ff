// Taken into the sandbox by the worker of the tests. JavaScript, as an application's build leaves it.
import { CancellationScope, condition, createNexusServiceClient, sleep } from '@temporalio/workflow';
import { operation, service } from 'nexus-rpc';

const payments = service('payments', {
  quote: operation(),
  ship: operation(),
  refuse: operation(),
  wait: operation(),
});

/** Asks for an operation that is done at once, one that a workflow does, one that fails, and one that is cancelled. */
export async function buy(endpoint) {
  const client = createNexusServiceClient({ service: payments, endpoint });
  const options = { scheduleToCloseTimeout: '20s' };
  const quoted = await client.executeOperation('quote', 'book', options);
  const shipped = await client.executeOperation('ship', 'pen', options);
  const refused = await client.executeOperation('refuse', 'card', options).catch((error) => error.name);
  const scope = new CancellationScope();
  const cancelled = await scope
    .run(async () => {
      const handle = await client.startOperation('wait', 'for nothing', options);
      scope.cancel();
      return await handle.result();
    })
    .catch((error) => error.name);
  return { quoted, shipped, refused, cancelled };
}

export async function ship(name) {
  await sleep(10);
  return `shipped ${name}`;
}

export async function wait() {
  await condition(() => false);
}
