// Taken into the sandbox by the worker of the tests. JavaScript, as an application's build leaves it.
import { trace } from '@opentelemetry/api';
import {
  condition,
  continueAsNew,
  defineQuery,
  defineSignal,
  defineUpdate,
  executeChild,
  log,
  metricMeter,
  proxyActivities,
  proxyLocalActivities,
  setHandler,
  sleep,
  uuid4,
  workflowInfo,
} from '@temporalio/workflow';

const { charge, refuse } = proxyActivities({
  startToCloseTimeout: '10s',
  retry: { initialInterval: 20, maximumInterval: 20, maximumAttempts: 3 },
});
const { price } = proxyLocalActivities({ startToCloseTimeout: '10s' });

export const status = defineQuery('status');
export const approve = defineSignal('approve');
export const rename = defineUpdate('rename');

/** Waits for its approval, and tells what random number it got first. */
export async function order(item) {
  let name = item;
  let isApproved = false;
  setHandler(status, () => (isApproved ? 'approved' : 'waiting'));
  setHandler(approve, () => {
    isApproved = true;
  });
  setHandler(
    rename,
    async (to) => {
      const before = name;
      name = to;
      return before;
    },
    {
      validator: (to) => {
        if (to === '') throw new Error('a name is needed');
      },
    },
  );
  const id = uuid4();
  const cost = await price(item);
  await condition(() => isApproved);
  const receipt = await trace.getTracer('shop').startActiveSpan('pay', async (span) => {
    span.setAttribute('cost', cost);
    try {
      return await charge(cost);
    } finally {
      span.end();
    }
  });
  metricMeter.createCounter('orders_done', '{order}').withTags({ kind: 'test' }).add(1);
  log.info('order is done');
  const child = await executeChild(ship, { args: [name], workflowId: `${workflowInfo().workflowId}-ship` });
  return { id, receipt, child };
}

export async function ship(name) {
  await sleep(10);
  return `shipped ${name}`;
}

export async function failing() {
  await refuse();
}

export async function counting(runs) {
  if (runs > 1) await continueAsNew(runs - 1);
}
