import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { extname, join, relative, sep } from 'node:path';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import type { RequestHandler } from './page-server.ts';

const gzipAsync = promisify(gzip);

const MEDIA_TYPES: Readonly<Record<string, string>> = {
  '.css': 'text/css; charset=utf-8',
  '.html': 'text/html; charset=utf-8',
  '.ico': 'image/x-icon',
  '.js': 'text/javascript; charset=utf-8',
  '.json': 'application/json',
  '.map': 'application/json',
  '.png': 'image/png',
  '.svg': 'image/svg+xml',
  '.txt': 'text/plain; charset=utf-8',
  '.webmanifest': 'application/manifest+json',
  '.woff2': 'font/woff2',
};

/** Types whose files are compressed already. */
const COMPRESSED = new Set(['.png', '.woff2', '.ico']);

/**
 * What the page may load and do. Scripts only from here and never inline, so that text of a span or a log line that
 * reaches the page can't become a script; style elements and attributes are what Mantine and uPlot set at run time.
 */
const CONTENT_SECURITY_POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self' 'unsafe-inline'",
  "img-src 'self' data:",
  "font-src 'self'",
  "connect-src 'self'",
  "manifest-src 'self'",
  "worker-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

const SECURITY_HEADERS = {
  'Content-Security-Policy': CONTENT_SECURITY_POLICY,
  'Cross-Origin-Resource-Policy': 'same-origin',
  'Referrer-Policy': 'no-referrer',
  'X-Content-Type-Options': 'nosniff',
  'X-Frame-Options': 'DENY',
};

/** The build puts a hash of the content into these files' names, so they never change. */
const HASHED_PREFIX = '/assets/';

const NOT_BUILT = 'The page has not been built. `npm run build` builds it; the HTTP APIs work without.\n';

interface StaticFile {
  readonly extension: string;
  readonly bytes: Buffer;
  readonly etag: string;
  gzip: Promise<Buffer> | null;
}

/**
 * Serves the files of `folder`, and `index.html` for the routes of the page. They are read once, here: a request only
 * looks a path up, so that no path can lead out of the folder.
 */
export async function staticFiles(folder: string): Promise<RequestHandler> {
  const files = await readFiles(folder);
  return (request, response) => {
    const path = pathOf(request);
    if (path === null || path === '/api' || path.startsWith('/api/')) {
      return false;
    }
    const file = files.get(path) ?? (isRoute(request, path) ? files.get('/index.html') : undefined);
    if (file === undefined) {
      return files.has('/index.html') || !isRoute(request, path) ? false : answerNotBuilt(response);
    }
    if (request.method !== 'GET' && request.method !== 'HEAD') {
      response.writeHead(405, { ...SECURITY_HEADERS, Allow: 'GET, HEAD' }).end();
      return true;
    }
    return answerFile(request, response, file, path.startsWith(HASHED_PREFIX));
  };
}

async function readFiles(folder: string): Promise<Map<string, StaticFile>> {
  const files = new Map<string, StaticFile>();
  const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch(
    (error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') {
        return [];
      }
      throw error;
    },
  );
  for (const entry of entries) {
    if (entry.isFile() && !entry.name.startsWith('.')) {
      const file = join(entry.parentPath, entry.name);
      const bytes = await readFile(file);
      const etag = `"${createHash('sha256').update(bytes).digest('base64url').slice(0, 27)}"`;
      const path = `/${relative(folder, file).split(sep).join('/')}`;
      files.set(path, { extension: extname(file).toLowerCase(), bytes, etag, gzip: null });
    }
  }
  return files;
}

/** The decoded path; null when it is not one. */
function pathOf(request: IncomingMessage): string | null {
  try {
    return decodeURIComponent((request.url ?? '/').split(/[?#]/, 1)[0] ?? '/');
  } catch {
    return null;
  }
}

/** Whether the page itself, which knows its routes, is to answer: someone navigates, and not to a file. */
function isRoute(request: IncomingMessage, path: string): boolean {
  if (path.startsWith(HASHED_PREFIX) || (request.method !== 'GET' && request.method !== 'HEAD')) {
    return false;
  }
  const accept = request.headers.accept ?? '*/*';
  return accept.includes('text/html') || (accept.includes('*/*') && extname(path) === '');
}

async function answerFile(
  request: IncomingMessage,
  response: ServerResponse,
  file: StaticFile,
  hashed: boolean,
): Promise<boolean> {
  const headers: Record<string, string | number> = {
    ...SECURITY_HEADERS,
    'Cache-Control': hashed ? 'public, max-age=31536000, immutable' : 'no-cache',
    ETag: file.etag,
    Vary: 'Accept-Encoding',
  };
  if (request.headers['if-none-match']?.split(/\s*,\s*/).some((tag) => tag.replace(/^W\//, '') === file.etag)) {
    response.writeHead(304, headers).end();
    return true;
  }
  let { bytes } = file;
  if (!COMPRESSED.has(file.extension) && acceptsGzip(request)) {
    file.gzip ??= gzipAsync(bytes);
    bytes = await file.gzip;
    headers['Content-Encoding'] = 'gzip';
    headers.ETag = `W/${file.etag}`;
  }
  headers['Content-Type'] = MEDIA_TYPES[file.extension] ?? 'application/octet-stream';
  headers['Content-Length'] = bytes.length;
  response.writeHead(200, headers).end(request.method === 'HEAD' ? undefined : bytes);
  return true;
}

function acceptsGzip(request: IncomingMessage): boolean {
  return String(request.headers['accept-encoding'] ?? '')
    .split(',')
    .some((coding) => /^\s*gzip\s*(;|$)/i.test(coding) && !/;\s*q=0(\.0*)?\s*$/i.test(coding));
}

function answerNotBuilt(response: ServerResponse): true {
  response
    .writeHead(503, { ...SECURITY_HEADERS, 'Content-Type': 'text/plain; charset=utf-8', 'Cache-Control': 'no-store' })
    .end(NOT_BUILT);
  return true;
}
