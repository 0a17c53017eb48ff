import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { request } from 'node:http';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { readAll } from '../receive/testing/http-post.ts';
import { PageServer } from './page-server.ts';
import { staticFiles } from './static-files.ts';

let folder: string;
let server: PageServer;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'signalbox-page-'));
  const page = join(folder, 'page');
  await mkdir(join(page, 'assets'), { recursive: true });
  await writeFile(join(folder, 'secret.txt'), 'secret');
  await writeFile(join(page, 'index.html'), '<!doctype html><title>Signalbox</title>');
  await writeFile(join(page, 'favicon.svg'), '<svg/>');
  await writeFile(join(page, '.hidden'), 'hidden');
  await symlink(join(folder, 'secret.txt'), join(page, 'link.txt'));
  await writeFile(join(page, 'assets', 'index-DkR1a2b3.js'), 'console.log(1);'.repeat(100));
  await writeFile(join(page, 'assets', 'index-DkR1a2b3.css'), 'body{}');
  server = new PageServer({ host: '127.0.0.1', port: 0, allowedHosts: [] }, [await staticFiles(page)]);
  await server.start();
});

afterAll(async () => {
  await server.shutdown(0);
  await rm(folder, { recursive: true });
});

interface Answer {
  status: number;
  headers: Record<string, string | string[] | undefined>;
  body: Buffer;
}

function get(path: string, headers: Record<string, string> = {}, method = 'GET'): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const { port } = server.address;
    request({ host: '127.0.0.1', port, path, headers, method, agent: false }, async (response) => {
      const chunks: Buffer[] = [];
      for await (const chunk of response) chunks.push(chunk as Buffer);
      resolve({ status: response.statusCode ?? 0, headers: response.headers, body: Buffer.concat(chunks) });
    })
      .on('error', reject)
      .end();
  });
}

const NAVIGATION = { Accept: 'text/html,application/xhtml+xml,*/*;q=0.8' };

it('serves files with their types', async () => {
  expect((await get('/')).headers['content-type']).toBe('text/html; charset=utf-8');
  expect((await get('/favicon.svg')).headers['content-type']).toBe('image/svg+xml');
  expect((await get('/assets/index-DkR1a2b3.js')).headers['content-type']).toBe('text/javascript; charset=utf-8');
  expect((await get('/assets/index-DkR1a2b3.css')).headers['content-type']).toBe('text/css; charset=utf-8');
});

it.each(['/traces', '/traces/5b8efff798038103d269b633813fc60c?tab=logs', '/services/shop.v1', '/traces/%2e%2e'])(
  'answers the route %s with the page',
  async (path) => {
    const answer = await get(path, NAVIGATION);
    expect(answer.status).toBe(200);
    expect(answer.body.toString()).toContain('<title>Signalbox</title>');
  },
);

it.each(['/assets/index-gone.js', '/api', '/api/signalbox/none', '/%zz'])('has nothing at %s', async (path) => {
  expect((await get(path, NAVIGATION)).status).toBe(404);
});

it.each([
  '/../secret.txt',
  '/assets/../../secret.txt',
  '/%2e%2e/secret.txt',
  '/..%2fsecret.txt',
  '/link.txt',
  '/.hidden',
  '//etc/passwd',
  '/%00',
])('leads nowhere else: %s', async (path) => {
  const socket = connect(server.address.port, '127.0.0.1');
  socket.write(`GET ${path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nAccept: image/png\r\n\r\n`);
  expect(await readAll(socket)).toMatch(/^HTTP\/1\.1 404 /);
});

it('caches hashed files for ever, and asks again for the others', async () => {
  expect((await get('/assets/index-DkR1a2b3.js')).headers['cache-control']).toBe('public, max-age=31536000, immutable');
  const { headers } = await get('/', NAVIGATION);
  expect(headers['cache-control']).toBe('no-cache');
  const again = await get('/', { ...NAVIGATION, 'If-None-Match': String(headers.etag) });
  expect(again).toMatchObject({ status: 304, body: Buffer.alloc(0) });
  const zipped = await get('/', { ...NAVIGATION, 'Accept-Encoding': 'gzip' });
  expect((await get('/', { 'If-None-Match': `"x", ${zipped.headers.etag}` })).status).toBe(304);
});

it('compresses for those who want it', async () => {
  const plain = await get('/assets/index-DkR1a2b3.js', { 'Accept-Encoding': 'gzip;q=0, br' });
  expect(plain.headers['content-encoding']).toBeUndefined();
  const zipped = await get('/assets/index-DkR1a2b3.js', { 'Accept-Encoding': 'br, gzip' });
  expect(zipped.headers['content-encoding']).toBe('gzip');
  expect(gunzipSync(zipped.body)).toEqual(plain.body);
});

it('lets the page do only what it needs', async () => {
  const { headers } = await get('/', NAVIGATION);
  const policy = String(headers['content-security-policy']);
  expect(policy).toContain("default-src 'none'");
  expect(policy).toMatch(/script-src 'self'(;|$)/);
  expect(policy).toContain("frame-ancestors 'none'");
  expect(headers['x-content-type-options']).toBe('nosniff');
});

it('answers HEAD without a body and refuses other methods', async () => {
  const head = await get('/', NAVIGATION, 'HEAD');
  expect(head.status).toBe(200);
  expect(Number(head.headers['content-length'])).toBeGreaterThan(0);
  expect(head.body).toHaveLength(0);
  expect(await get('/favicon.svg', {}, 'POST')).toMatchObject({ status: 405, headers: { allow: 'GET, HEAD' } });
  expect((await get('/traces', NAVIGATION, 'POST')).status).toBe(404);
});

it('says so when the page is not built', async () => {
  const bare = new PageServer({ host: '127.0.0.1', port: 0, allowedHosts: [] }, [
    await staticFiles(join(folder, 'none')),
  ]);
  await bare.start();
  const socket = connect(bare.address.port, '127.0.0.1');
  socket.write('GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n');
  expect(await readAll(socket)).toMatch(/^HTTP\/1\.1 503 .*npm run build/s);
  await bare.shutdown(0);
});
