// npm run bench -w bench -- <ingest|peers|overload|query|traceql|promql|logql|processors|start|sdk|soak> [options]: see docs/benchmarks.md. Needs a built workspace (npm run build).
import { parseArgs } from 'node:util';
import { sdk } from '../sdk/sdk.ts';
import { soak } from '../sdk/soak.ts';
import { ingest } from './ingest.ts';
import { logql } from './logql.ts';
import { overload } from './overload.ts';
import { peers } from './peers.ts';
import { processors } from './processors.ts';
import { promql } from './promql.ts';
import { query } from './query.ts';
import { start } from './start.ts';
import { traceql } from './traceql.ts';

const usage = `npm run bench -w bench -- <command>

  ingest [--millions 1] [--connections 64] [--pace 20000] [--no-limit]
  peers  [--millions 1] [--rounds 3] [--jaeger PROGRAM] [--collector PROGRAM] [--victoria-traces PROGRAM]
  overload [--seconds 60] [--connections 640]
  query  [--millions 1] [--long-queries 4] [--pace 5000]
  traceql [--millions 1] [--pace SPANS/S]
  promql [--series 50000] [--hours 6] [--prometheus PROGRAM]
  logql  [--millions 10]
  processors [--millions 0.2]
  start
  sdk    [--rows http,fastify,pino,start,steady,pg,redis,amqp,ws,function,queue,kv] [--node pinned|own|both] [--rounds N]
  soak   [--minutes 60] [--rate 300]
`;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    millions: { type: 'string', default: '1' },
    connections: { type: 'string' },
    seconds: { type: 'string', default: '60' },
    pace: { type: 'string' },
    series: { type: 'string', default: '50000' },
    hours: { type: 'string', default: '6' },
    prometheus: { type: 'string' },
    jaeger: { type: 'string' },
    collector: { type: 'string' },
    'victoria-traces': { type: 'string' },
    'long-queries': { type: 'string', default: '4' },
    minutes: { type: 'string', default: '60' },
    rate: { type: 'string', default: '300' },
    rows: { type: 'string' },
    node: { type: 'string', default: 'both' },
    rounds: { type: 'string' },
    'no-limit': { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});
const millions = Number(values.millions);
switch (positionals[0]) {
  case 'ingest':
    await ingest({
      millions,
      connections: Number(values.connections ?? 64),
      pace: Number(values.pace ?? 20_000),
      noLimit: values['no-limit'],
    });
    break;
  case 'peers':
    await peers({
      millions,
      rounds: Number(values.rounds ?? 3),
      connections: Number(values.connections ?? 64),
      programs: { jaeger: values.jaeger, collector: values.collector, 'victoria-traces': values['victoria-traces'] },
    });
    break;
  case 'overload':
    await overload({ seconds: Number(values.seconds), connections: Number(values.connections ?? 640) });
    break;
  case 'query':
    await query({ millions, longQueries: Number(values['long-queries']), pace: Number(values.pace ?? 5_000) });
    break;
  case 'traceql':
    await traceql({ millions, pace: values.pace === undefined ? undefined : Number(values.pace) });
    break;
  case 'promql':
    await promql({ series: Number(values.series), hours: Number(values.hours), prometheus: values.prometheus });
    break;
  case 'logql':
    await logql({ millions: values.millions === '1' ? 10 : millions });
    break;
  case 'processors':
    processors(values.millions === '1' ? 0.2 : millions);
    break;
  case 'start':
    await start();
    break;
  case 'soak':
    await soak({ minutes: Number(values.minutes), rate: Number(values.rate) });
    break;
  case 'sdk':
    await sdk({
      rows: values.rows,
      node: values.node,
      rounds: values.rounds === undefined ? undefined : Number(values.rounds),
    });
    break;
  default:
    console.log(usage);
    if (!values.help) process.exitCode = 2;
}
