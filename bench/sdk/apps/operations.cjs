// One operation, over and over: `operations.cjs <operation> <how> <count> <port>`. Prints its CPU time in microseconds.
// How: bare, signalbox or official; BENCH_PACKAGE is our package or the stock API, and BENCH_API the API that spans come from.
const { clients } = require('./clients.cjs');
const { observeMessageByHand, wrappers } = require('./wrappers.cjs');

const [operation, how, count, port] = process.argv.slice(2);
const portion = 100;
/** Until the code is warm, as before requests to services. */
const warming = 20_000;

async function prepare() {
  const used = how === 'bare' ? undefined : require(process.env.BENCH_PACKAGE);
  if (operation in clients)
    return clients[operation](Number(port), how === 'official' ? observeMessageByHand(used) : undefined);
  return wrappers[how](used)[operation];
}

async function main() {
  const run = await prepare();
  const { trace } = require(process.env.BENCH_API);
  const tracer = trace.getTracer('bench');
  const turn = () => new Promise((done) => setImmediate(done));
  // In portions, each below a span as requests are, so that batches can leave in between as they do in a service.
  const repeat = async (times) => {
    for (let left = times; left > 0; left -= portion) {
      await tracer.startActiveSpan('portion', async (span) => {
        await Promise.all(Array.from({ length: portion }, run));
        span.end();
      });
      await turn();
    }
  };
  await repeat(warming);
  const before = process.cpuUsage();
  await repeat(Number(count));
  const { user, system } = process.cpuUsage(before);
  console.log(`cpu=${user + system}`);
  // Before it could wait for what has not been sent.
  process.kill(process.pid, 'SIGKILL');
}

main().catch((error) => {
  console.error(error);
  process.exit(1);
});
