import { fileURLToPath } from 'node:url';
import { startMockServer } from './server.ts';

// node --import tsx packages/ui/mock/main.ts [port] [--empty] [--slow]
const arguments_ = process.argv.slice(2);
const { url } = await startMockServer({
  pageFolder: fileURLToPath(new URL('../../server/page', import.meta.url)),
  port: Number(arguments_.find((argument) => /^\d+$/.test(argument)) ?? 4320),
  empty: arguments_.includes('--empty'),
  delayMs: arguments_.includes('--slow') ? 1500 : 0,
});
console.log(`The page with made-up data: ${url}`);
