import { Session } from 'chdb';

/**
 * One session of the embedded engine: one statement at a time.
 *
 * After a statement that failed, the session is replaced by a new one: the engine (chdb 3.4.0) leaves what the statement
 * had already written of its result in the session, and puts it in front of the next statement's result.
 */
export class EngineSession {
  readonly #folder: string;
  readonly #database: string | undefined;
  readonly #engineArguments: readonly string[];
  #session: Session | undefined;

  /** @param database current database of the session; undefined while there is none yet. */
  constructor(folder: string, engineArguments: readonly string[], database: string | undefined) {
    this.#folder = folder;
    this.#engineArguments = engineArguments;
    this.#database = database;
  }

  /** Opens the engine's folder now rather than at the first statement. */
  open(): void {
    this.#opened();
  }

  /** Makes the database if it is missing, before sessions name it as theirs. */
  createDatabase(name: string): void {
    this.#opened().query(`CREATE DATABASE IF NOT EXISTS ${name}`);
  }

  /** Runs statements (each ends with a semicolon but the last) and gives the result's bytes in `format`. */
  async run(sql: string, format: string): Promise<Uint8Array> {
    const session = this.#opened();
    try {
      return (await session.queryAsync(sql, { format })).bytes();
    } catch (error) {
      this.close();
      throw error;
    }
  }

  /** Releases the session. What runs on it finishes first: `drainPending` waits for that. */
  close(): void {
    this.#session?.close();
    this.#session = undefined;
  }

  #opened(): Session {
    if (this.#session === undefined) {
      const session = new Session(this.#folder, { connectionArgs: this.#engineArguments });
      if (this.#database !== undefined) {
        session.query(`USE ${this.#database}`);
      }
      this.#session = session;
    }
    return this.#session;
  }
}
