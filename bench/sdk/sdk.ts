import { execFileSync } from 'node:child_process';
import { type Row, report } from '../product/report.ts';
import { measureOperations, operationCases } from './operations.ts';
import { installPeers } from './peers.ts';
import { measureRequests, requestCases } from './requests.ts';
import { startCollector } from './service.ts';
import { measureStartUp } from './start-up.ts';
import { measureSteady } from './steady.ts';

const all = [...requestCases, 'start', 'steady', ...operationCases];

/**
 * What `@signalbox/node` costs an application, beside the stock packages: `rows` names what is measured (all of it unset),
 * on the pinned Node, the one that runs this, or both. Linux with two cores or more.
 */
export async function sdk({
  rows,
  node,
  rounds,
}: {
  rows: string | undefined;
  node: string;
  rounds: number | undefined;
}): Promise<void> {
  const wanted = rows?.split(',') ?? all;
  const unknown = wanted.filter((name) => !all.includes(name));
  if (unknown.length > 0) throw new Error(`there is no row ${unknown.join(', ')}; there are ${all.join(', ')}`);
  const peers = installPeers();
  const nodes = node === 'pinned' ? peers.nodes.slice(0, 1) : node === 'own' ? peers.nodes.slice(-1) : peers.nodes;
  // Applications are on core 0.
  execFileSync('taskset', ['-pc', '1', String(process.pid)], { stdio: 'ignore' });
  using collector = await startCollector();
  for (const each of nodes) {
    const options = { peers, node: each, collector: collector.url };
    const show = (name: string, measured: Row[]): void =>
      report(`sdk-${name}-${each.name.replace(' ', '-')}`, measured);
    for (const name of wanted) {
      if (requestCases.includes(name)) show(name, await measureRequests(name, { ...options, rounds: rounds ?? 40 }));
      else if (name === 'start') show(name, await measureStartUp({ ...options, rounds: rounds ?? 11 }));
      else if (name === 'steady') show(name, await measureSteady({ ...options, rounds: rounds ?? 3 }));
      else show(name, [await measureOperations(name, { ...options, rounds: rounds ?? 7 })]);
    }
  }
}
