// Installs the packages and builds what is not built yet: the first step of every npm script of this repository.
// Plain Node without dependencies, because it runs before anything is installed. Does nothing, quickly, when all is up to date.
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const force = process.argv.includes('--force');
const builtPage = join(root, 'packages', 'server', 'page');
const installedBytes = 1600e6;

checkPlatform();
await install();
await build();

function checkPlatform() {
  const [major, minor] = process.versions.node.split('.').map(Number);
  if (major < 20 || (major === 20 && minor < 19)) {
    fail(`Signalbox needs Node 20.19 or newer; this is ${process.versions.node}.`);
  }
  if (process.platform !== 'linux' && process.platform !== 'darwin') {
    fail('The embedded ClickHouse runs on Linux (glibc) and macOS only. On Windows, use WSL.');
  }
  if (process.platform === 'linux' && !process.report.getReport().header.glibcVersionRuntime) {
    fail('The embedded ClickHouse needs glibc; Alpine and other musl systems are not supported.');
  }
}

async function install() {
  const lock = readFileSync(join(root, 'package-lock.json'));
  const wanted = createHash('sha256').update(lock).update(process.platform).update(process.arch).digest('hex');
  const stamp = join(root, 'node_modules', '.signalbox-installed');
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === wanted) return;
  console.log(
    'Installing packages. The first time this downloads about 180 MB for the embedded ClickHouse (1.6 GB on disk in all).',
  );
  const started = Date.now();
  const progress = setInterval(() => {
    const megabytes = Math.round(folderSize(join(root, 'node_modules')) / 1e6);
    const seconds = Math.round((Date.now() - started) / 1000);
    const line = `  ${megabytes} of about ${Math.round(installedBytes / 1e6)} MB unpacked, ${seconds} s`;
    if (process.stdout.isTTY) process.stdout.write(`\r${line}`);
    else if (seconds % 10 < 2) console.log(line);
  }, 2000);
  const code = await run('npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error']);
  clearInterval(progress);
  if (process.stdout.isTTY) process.stdout.write('\n');
  if (code !== 0) fail(`npm ci ended with status ${code}. Its message is above; the command can simply be run again.`);
  writeFileSync(stamp, wanted);
  console.log(`Installed in ${Math.round((Date.now() - started) / 1000)} s.`);
}

async function build() {
  const stamp = join(root, '.stamp', 'built');
  const wanted = sourceFingerprint();
  const isBuilt =
    existsSync(stamp) && readFileSync(stamp, 'utf8') === wanted && outputs().every((path) => existsSync(path));
  if (isBuilt && !force) return;
  console.log('Building.');
  rmSync(stamp, { force: true });
  const bin = join(root, 'node_modules', '.bin');
  if ((await run(join(bin, 'tsc'), ['-b', ...(force ? ['--force'] : [])])) !== 0) fail('The TypeScript build failed.');
  for (const script of ['bundle.mjs', 'declarations.mjs']) {
    if ((await run(process.execPath, [join(root, 'packages', 'node', 'build', script)])) !== 0)
      fail('Bundling @signalbox/node failed.');
  }
  if ((await run(join(bin, 'vite'), ['build', '--logLevel', 'warn'], join(root, 'packages', 'ui'))) !== 0)
    fail('Building the page failed.');
  mkdirSync(join(root, '.stamp'), { recursive: true });
  writeFileSync(stamp, wanted);
}

/** Path, size and modification time of everything that a build reads. */
function sourceFingerprint() {
  const hash = createHash('sha256');
  const visit = (folder) => {
    for (const entry of readdirSync(folder, { withFileTypes: true }).sort((a, b) => (a.name < b.name ? -1 : 1))) {
      const path = join(folder, entry.name);
      if (['node_modules', 'dist', 'mock', '.signalbox'].includes(entry.name) || path === builtPage) continue;
      if (entry.isDirectory()) visit(path);
      else if (/\.(ts|tsx|css|html|json|mjs|cjs|svg)$/.test(entry.name)) {
        const { size, mtimeMs } = statSync(path);
        hash.update(`${path}\0${size}\0${mtimeMs}\n`);
      }
    }
  };
  for (const folder of ['packages', 'examples']) visit(join(root, folder));
  for (const file of ['tsconfig.json', 'tsconfig.base.json', 'package-lock.json'])
    hash.update(readFileSync(join(root, file)));
  return hash.digest('hex');
}

/** What must be there after a build, one file of each. */
function outputs() {
  const examples = readdirSync(join(root, 'examples')).filter((name) =>
    existsSync(join(root, 'examples', name, 'tsconfig.json')),
  );
  return [
    join(builtPage, 'index.html'),
    join(root, 'packages', 'server', 'dist', 'main.js'),
    ...['js', 'cjs', 'd.ts', 'd.cts'].map((ending) => join(root, 'packages', 'node', 'dist', `index.${ending}`)),
    ...examples.map((name) => join(root, 'examples', name, 'dist', 'main.js')),
  ];
}

function folderSize(folder) {
  let bytes = 0;
  let entries;
  try {
    entries = readdirSync(folder, { withFileTypes: true });
  } catch {
    return 0; // npm moves folders while we look
  }
  for (const entry of entries) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) bytes += folderSize(path);
    else if (entry.isFile()) bytes += statSync(path, { throwIfNoEntry: false })?.size ?? 0;
  }
  return bytes;
}

function run(command, args, cwd = root) {
  return new Promise((resolve) => {
    const child = spawn(command, args, { cwd, stdio: ['ignore', 'inherit', 'inherit'] });
    child.on('error', (error) => fail(`${command}: ${error.message}`));
    child.on('close', (code, signal) => resolve(code ?? (signal ? 1 : 0)));
  });
}

function fail(message) {
  console.error(`\n${message}`);
  process.exit(1);
}
