import test from 'node:test';
import * as assertions from './assertions.ts';

/** What node:test offers from 22.14 on; older typings do not know it. */
interface RegistersAssertions {
  readonly assert?: { register(name: string, assertion: (...args: never[]) => unknown): void };
}

const { assert } = test as RegistersAssertions;
if (assert === undefined)
  throw new Error(
    'this Node cannot register assertions (22.14 and later can): import the functions from @signalbox/testing instead',
  );
/** `assertSpanCount` becomes `t.assert.spanCount`, and so on; they count in `t.plan`. */
for (const [name, assertion] of Object.entries(assertions)) {
  const short = name.replace(/^assert/, '');
  assert.register(`${short[0]?.toLowerCase()}${short.slice(1)}`, assertion as (...args: never[]) => unknown);
}
