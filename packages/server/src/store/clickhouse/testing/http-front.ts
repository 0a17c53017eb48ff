import { createReadStream, createWriteStream, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { drainPending } from 'chdb';
import { engineConfig } from '../embedded/engine-config.ts';
import { EngineSession } from '../embedded/engine-session.ts';
import { quoteString } from '../query-parameters.ts';

/**
 * ClickHouse's HTTP interface over the embedded engine, as far as `@clickhouse/client` needs it. It lets the store's
 * tests run the HTTP connection without a server: it proves the protocol, the SQL and the blocks, not a real server's
 * settings, users or replication.
 *
 * Every request runs on a session of its own. An insert's body becomes a file that `file()` reads: like in the
 * connection, rows never become SQL text.
 */
export class HttpFront {
  readonly #folder: string;
  readonly #engineArguments: readonly string[];
  readonly #server: Server;
  readonly #keeper: EngineSession;
  #nextFile = 0;

  static async start(folder: string): Promise<HttpFront> {
    const front = new HttpFront(folder);
    await new Promise<void>((resolve) => front.#server.listen(0, '127.0.0.1', resolve));
    return front;
  }

  private constructor(folder: string) {
    this.#folder = folder;
    mkdirSync(join(folder, 'engine'), { recursive: true });
    mkdirSync(join(folder, 'tmp'), { recursive: true });
    const configFile = join(folder, 'engine.xml');
    writeFileSync(configFile, engineConfig(folder, { memoryBytes: 2 * 1024 ** 3 }));
    this.#engineArguments = [`--config-file=${configFile}`];
    this.#keeper = new EngineSession(join(folder, 'engine'), this.#engineArguments, undefined);
    this.#keeper.open();
    this.#server = createServer((request, response) => {
      this.#answer(request, response).catch((error: unknown) => {
        const text = error instanceof Error ? error.message : String(error);
        response.writeHead(500, { 'x-clickhouse-exception-code': /Code: (\d+)/.exec(text)?.[1] ?? '1002' });
        response.end(text);
      });
    });
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
    this.#keeper.close();
    await drainPending();
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? '/', 'http://localhost');
    const settings: string[] = [];
    let database: string | undefined;
    let query = '';
    let queryId = '';
    for (const [name, value] of url.searchParams) {
      if (name === 'query') query = value;
      else if (name === 'database') database = value;
      else if (name === 'query_id') queryId = value;
      else if (!HTTP_ONLY.has(name)) settings.push(`${name} = ${quoteString(value)}`);
    }
    // The client kills by query id; the embedded engine gives ids of its own.
    settings.push(`log_comment = ${quoteString(queryId)}`);
    const path = join(this.#folder, 'tmp', `front-${this.#nextFile++}`);
    try {
      await pipeline(request, createWriteStream(path));
      const session = new EngineSession(join(this.#folder, 'engine'), this.#engineArguments, database);
      try {
        const sql = await toEmbedded(query, path);
        const { text, format } = splitFormat(sql.replace(/\bquery_id IN\b/, `Settings['log_comment'] IN`));
        const bytes = await session.run(`SET ${settings.join(', ')}; ${text}`, format);
        response.writeHead(200, { 'content-type': 'text/plain', 'x-clickhouse-format': format });
        response.end(bytes);
      } finally {
        session.close();
      }
    } finally {
      rmSync(path, { force: true });
    }
  }
}

/** Parameters of HTTP that are no settings. */
const HTTP_ONLY = new Set([
  'wait_end_of_query',
  'default_format',
  'session_id',
  'user',
  'password',
  'compress',
  'role',
]);

/** With a query in the URL the body is rows; otherwise the body is the query. */
async function toEmbedded(query: string, bodyPath: string): Promise<string> {
  const insert = /^INSERT INTO (\w+) \(([\w, ]+)\) FORMAT Native$/.exec(query.trim());
  if (insert !== null) {
    return `INSERT INTO ${insert[1]} (${insert[2]}) SELECT ${insert[2]} FROM file(${quoteString(bodyPath)}, 'Native')`;
  }
  let body = '';
  for await (const chunk of createReadStream(bodyPath, 'utf8')) {
    body += chunk;
  }
  return `${query} ${body}`.trim();
}

function splitFormat(sql: string): { text: string; format: string } {
  const match = /\s+FORMAT\s+(\w+)\s*;?\s*$/.exec(sql);
  return match === null
    ? { text: sql, format: 'TabSeparated' }
    : { text: sql.slice(0, match.index), format: match[1] as string };
}
