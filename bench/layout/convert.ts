// Writes a form's Native files from the canonical ones, so that measure.ts times only the engine. Run by run.ts.
import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { forms, selectOf } from './candidates.ts';
import { makeDataset } from './dataset.ts';
import { openEngine } from './engine.ts';

const [folder = '', spans = '', ...names] = process.argv.slice(2);
const canonical = makeDataset(folder, Number(spans));
for (const name of names) {
  const form = forms[name];
  if (form === undefined) throw new Error(`no form ${name}`);
  const target = join(folder, name);
  if (existsSync(join(target, `done-${spans}`))) continue;
  mkdirSync(target, { recursive: true });
  const scratch = join(folder, 'convert-engine');
  const session = openEngine(scratch);
  session.query(
    'SET output_format_native_use_flattened_dynamic_and_json_serialization = 1, engine_file_truncate_on_insert = 1',
  );
  for (const [block, path] of canonical.entries())
    session.query(`INSERT INTO FUNCTION file('${join(target, `${block}.native`)}', Native) SELECT ${selectOf(form)}
      FROM file('${path}', Native)`);
  session.query(`INSERT INTO FUNCTION file('${join(target, 'small.native')}', Native) SELECT ${selectOf(form)}
    FROM file('${canonical[0]}', Native) LIMIT 100`);
  session.close();
  rmSync(scratch, { recursive: true, force: true });
  writeFileSync(join(target, `done-${spans}`), '');
}
