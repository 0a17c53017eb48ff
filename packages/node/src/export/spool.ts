import fs from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { deferred } from '../deferred.ts';
import type { Warnings } from '../warnings.ts';
import { createGrpcTransport } from './create-grpc-transport.ts';
import { createHttpTransport } from './create-http-transport.ts';
import type { OtlpDestination, OtlpSignal } from './otlp-destination.ts';
import type { UnansweredRequest } from './otlp-exporter.ts';
import type { OtlpTransport, RequestOutcome } from './otlp-transport.ts';
import { decodeSpoolFile, encodeSpoolFile, type SpooledRequest } from './spool-file.ts';

export interface SpoolSettings {
  readonly folder: string;
  /** Of all files together; what does not fit is dropped. */
  readonly maxBytes: number;
}

type Transports = Map<`${OtlpSignal} ${SpooledRequest['encoding']}`, OtlpTransport>;

const waiting = '.otlp';
const unfinished = '.tmp';
const claimed = '.sending';
/** A file that was claimed so long ago was claimed by a process that has died. */
const staleMillis = 10 * 60_000;
/** The application starts first. */
const firstTryMillis = 1000;
const retryMillis = 60_000;

/**
 * Requests that nobody took when the process ended, kept on disk and sent by the next process that starts with the same
 * folder. A request is one file, which appears whole (written aside, then renamed), is claimed by renaming, so that one of
 * several processes sends it, and is deleted once it was taken or refused for good. What is sent twice: a request that was
 * taken but whose answer was not seen, because the process or the connection ended first.
 */
export class Spool {
  readonly #settings: SpoolSettings;
  readonly #warnings: Warnings;
  #written = 0;
  /** The claim being sent, to be given back if the process ends meanwhile. */
  #sending: string | undefined;
  #resending: Promise<void> | undefined;
  #timer: NodeJS.Timeout | undefined;
  #isClosed = false;
  #isDamageSaid = false;

  constructor(settings: SpoolSettings, warnings: Warnings) {
    this.#settings = settings;
    this.#warnings = warnings;
  }

  /** Writes a request, synchronously. False, with a warning, if it cannot be kept; never throws. */
  keep({ destination, body, records }: UnansweredRequest): boolean {
    const { folder, maxBytes } = this.#settings;
    try {
      this.#prepareFolder();
      const encoding = destination.protocol === 'http/json' ? 'json' : 'protobuf';
      const content = encodeSpoolFile({ signal: destination.signal, encoding, records, body });
      if (this.#size() + content.byteLength > maxBytes) {
        this.#warnings.once(`the spool ${folder} is full (${maxBytes} bytes): what was not delivered is dropped`);
        return false;
      }
      this.#written += 1;
      // Sorted by name they are sorted by age.
      const name = `${Date.now().toString(36).padStart(9, '0')}-${process.pid}-${this.#written}`;
      const path = join(folder, name);
      fs.writeFileSync(path + unfinished, content, { flag: 'wx', mode: 0o600 });
      fs.renameSync(path + unfinished, path + waiting);
      this.#warnings.once(`what could not be delivered waits in ${folder} for the next start`);
      return true;
    } catch (error) {
      this.#warnings.once(`cannot write to the spool ${folder}: ${reasonOf(error)}; what was not delivered is dropped`);
      return false;
    }
  }

  /** Sends what earlier processes left, a second from now, and again each minute while something is left. */
  start(destinations: readonly OtlpDestination[]): void {
    const run = (): void => {
      void this.resend(destinations).then(() => {
        if (!this.#isClosed) this.#timer = setTimeout(run, retryMillis).unref();
      });
    };
    this.#timer = setTimeout(run, firstTryMillis).unref();
  }

  /**
   * Sends what is there, one request at a time, until one is not taken. Resolves at the latest at `deadlineMillis` (epoch);
   * never rejects.
   */
  async resend(destinations: readonly OtlpDestination[], deadlineMillis = Number.POSITIVE_INFINITY): Promise<void> {
    const resending = this.#resend(destinations);
    if (deadlineMillis === Number.POSITIVE_INFINITY) return resending;
    const expired = deferred<void>();
    // Not unref'd: it is what keeps the process alive for these requests, whose sockets are.
    const timer = setTimeout(expired.resolve, Math.max(0, deadlineMillis - Date.now()));
    await Promise.race([resending, expired.promise]);
    clearTimeout(timer);
  }

  #resend(destinations: readonly OtlpDestination[]): Promise<void> {
    this.#resending ??= this.#resendAll(destinations)
      .catch((error: unknown) => this.#warnings.once(`the spool cannot be sent: ${reasonOf(error)}`))
      .finally(() => {
        this.#resending = undefined;
      });
    return this.#resending;
  }

  /** Gives back what is being sent, for the next process: nobody will see the answer. */
  close(): void {
    this.#isClosed = true;
    clearTimeout(this.#timer);
    if (this.#sending !== undefined) giveBack(this.#sending);
    this.#sending = undefined;
  }

  async #resendAll(destinations: readonly OtlpDestination[]): Promise<void> {
    const transports: Transports = new Map();
    let sent = 0;
    try {
      for (const name of this.#names()) {
        if (this.#isClosed) break;
        const claim = this.#claim(name);
        if (claim === undefined) continue;
        this.#sending = claim;
        const outcome = await this.#send(claim, destinations, transports);
        if (this.#isClosed) break;
        this.#sending = undefined;
        if (outcome === undefined) continue;
        if (outcome.kind === 'retryable') {
          giveBack(claim);
          break;
        }
        fs.rmSync(claim, { force: true });
        if (outcome.kind === 'accepted') sent += 1;
        else
          this.#warnings.once(`a request of the spool is refused and dropped: ${outcome.problem}. ${outcome.advice}`);
      }
    } finally {
      for (const transport of transports.values()) transport.destroy();
    }
    if (sent > 0)
      this.#warnings.always(`${sent} requests of earlier processes were sent from ${this.#settings.folder}`);
  }

  /** Undefined for a file that cannot be sent: one that is damaged is deleted, one of a signal that is off waits. */
  async #send(
    claim: string,
    destinations: readonly OtlpDestination[],
    transports: Transports,
  ): Promise<RequestOutcome | undefined> {
    let request: SpooledRequest;
    try {
      request = decodeSpoolFile(await fs.promises.readFile(claim));
    } catch (error) {
      // Once for all of them: what is wrong with a file differs.
      if (!this.#isDamageSaid)
        this.#warnings.always(`damaged files in the spool ${this.#settings.folder} are deleted: ${reasonOf(error)}`);
      this.#isDamageSaid = true;
      fs.rmSync(claim, { force: true });
      return undefined;
    }
    const { signal, encoding, body } = request;
    const destination = destinations.find((candidate) => candidate.signal === signal);
    if (destination === undefined || (destination.protocol === 'grpc' && encoding === 'json')) {
      giveBack(claim);
      return undefined;
    }
    const key = `${signal} ${encoding}` as const;
    const transport = transports.get(key) ?? transportTo(destination, encoding);
    transports.set(key, transport);
    const isGzipped = destination.compression === 'gzip';
    return await transport.post(isGzipped ? await compress(body) : body, isGzipped);
  }

  /** The path under which this process alone has the file; undefined if another was faster. */
  #claim(name: string): string | undefined {
    const path = join(this.#settings.folder, name);
    const claim = join(this.#settings.folder, `${name.replace(/\.otlp.*$/, waiting)}.${process.pid}${claimed}`);
    try {
      if (!fs.lstatSync(path).isFile()) return undefined;
      const now = new Date();
      // Before it is renamed: another process must not take it for one that was left behind.
      fs.utimesSync(path, now, now);
      fs.renameSync(path, claim);
      return claim;
    } catch {
      return undefined;
    }
  }

  /** Of files that wait, and of those whose process has died while it was sending them; the oldest first. */
  #names(): readonly string[] {
    const { folder } = this.#settings;
    if (!fs.existsSync(folder)) return [];
    this.#checkFolder();
    const names = fs.readdirSync(folder);
    for (const name of names.filter((name) => name.endsWith(unfinished) && isStale(join(folder, name))))
      fs.rmSync(join(folder, name), { force: true });
    return names
      .filter((name) => name.endsWith(waiting) || (name.endsWith(claimed) && isStale(join(folder, name))))
      .sort();
  }

  #size(): number {
    let bytes = 0;
    for (const name of fs.readdirSync(this.#settings.folder))
      bytes += fs.lstatSync(join(this.#settings.folder, name), { throwIfNoEntry: false })?.size ?? 0;
    return bytes;
  }

  #prepareFolder(): void {
    fs.mkdirSync(this.#settings.folder, { recursive: true, mode: 0o700 });
    this.#checkFolder();
  }

  /** Whoever else may write there could make this process send what they like, or read what it recorded. */
  #checkFolder(): void {
    const status = fs.statSync(this.#settings.folder);
    if (!status.isDirectory()) throw new Error('it is no folder');
    const isOthers = process.getuid !== undefined && status.uid !== process.getuid();
    if (isOthers || (status.mode & 0o022) !== 0)
      throw new Error('the folder must belong to this user, and nobody else may write to it (chmod 700)');
  }
}

function transportTo(destination: OtlpDestination, encoding: SpooledRequest['encoding']): OtlpTransport {
  if (destination.protocol === 'grpc') return createGrpcTransport(destination);
  return createHttpTransport({ ...destination, protocol: encoding === 'json' ? 'http/json' : 'http/protobuf' }, 1);
}

function giveBack(claim: string): void {
  try {
    fs.renameSync(claim, claim.replace(/\.\d+\.sending$/, ''));
  } catch {
    // Taken away by somebody who found it stale: it is theirs.
  }
}

function isStale(path: string): boolean {
  const status = fs.lstatSync(path, { throwIfNoEntry: false });
  return status !== undefined && Date.now() - status.mtimeMs > staleMillis;
}

function compress(body: Uint8Array): Promise<Buffer> {
  return promisify(process.getBuiltinModule('node:zlib').gzip)(body);
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
