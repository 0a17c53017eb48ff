// Writes api-report.txt: every declaration that the package exports, without comments, for reviews to see what changes of it.
// Reads what declarations.mjs wrote. With --check it only compares, and ends with 1 if the report is not of today.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const folder = fileURLToPath(new URL('..', import.meta.url));
const reportPath = join(folder, 'api-report.txt');

if (!process.argv.includes('--check')) writeFileSync(reportPath, apiReport());
else if (readFileSync(reportPath, 'utf8') !== apiReport()) {
  console.error('packages/node/api-report.txt is not what is exported: run node packages/node/build/api-report.mjs');
  process.exitCode = 1;
}

function apiReport() {
  return ['index', 'register'].map((entry) => `// ${entry}\n\n${exportsOf(entry)}`).join('\n');
}

function exportsOf(entry) {
  const statements = [];
  for (const line of withoutComments(readFileSync(join(folder, 'dist', `${entry}.d.ts`), 'utf8')).split('\n')) {
    const [indent] = /^ */.exec(line);
    // What bundled packages say in their comments makes api-extractor indent all that follows.
    if (/^ *(?:export declare |export \{|declare |import )/.test(line)) statements.push({ indent, lines: [] });
    if (line.trim() !== '') statements.at(-1)?.lines.push(line.slice(statements.at(-1).indent.length));
  }
  // By name, so that moving code is no change.
  const exported = statements
    .map(({ lines }) => `${lines.join('\n')}\n`)
    .filter((text) => text.startsWith('export declare '))
    .sort((left, right) => (nameOf(left) < nameOf(right) ? -1 : 1));
  return exported.length === 0 ? 'Nothing.\n' : exported.join('\n');
}

function withoutComments(text) {
  return text.replaceAll(/\/\*[\s\S]*?\*\/|^\s*\/\/.*$/gm, '').replaceAll(/[ \t]+$/gm, '');
}

function nameOf(statement) {
  return /^export declare (?:abstract )?\w+ (\w+)/.exec(statement)?.[1] ?? statement;
}
