// What the documentation of the stock packages shows, with as little of it as a service of HTTP can do with.
const { createRequire } = require('node:module');

const stock = createRequire(process.env.BENCH_STOCK);
const { NodeSDK } = stock('@opentelemetry/sdk-node');
const { HttpInstrumentation } = stock('@opentelemetry/instrumentation-http');
const { UndiciInstrumentation } = stock('@opentelemetry/instrumentation-undici');
new NodeSDK({ instrumentations: [new HttpInstrumentation(), new UndiciInstrumentation()] }).start();
