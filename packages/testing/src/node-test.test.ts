import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';

const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
const canRegister = major > 22 || (major === 22 && minor >= 14);
const built = new URL('../dist/', import.meta.url).href;

function run(program: string): Promise<{ stdout: string }> {
  return promisify(execFile)(process.execPath, ['--input-type=module', '-e', program], {
    env: { PATH: process.env.PATH },
    cwd: import.meta.dirname,
  });
}

test.runIf(canRegister)('node:test gets the assertions on its context, where they count', async () => {
  const { stdout } = await run(`
    import test from 'node:test';
    import { Recording } from '${built}index.js';
    import '${built}node-test.js';
    test('counts', (t) => { t.plan(1); t.assert.spanCount(new Recording([], [], []), 0); });
    test('fails', (t) => { t.assert.throws(() => t.assert.spanCount(new Recording([], [], []), 1), /expected 1 spans/); });
  `);
  expect(stdout).toContain('pass 2');
});

test.skipIf(canRegister)('a Node without assert.register is told to use the functions', async () => {
  await expect(run(`import '${built}node-test.js';`)).rejects.toThrow('import the functions from @signalbox/testing');
});
