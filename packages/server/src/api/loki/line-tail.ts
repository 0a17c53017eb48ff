import { compileMatcher, type LogExpr } from '@signalbox/query-language';
import type { WebSocket } from 'ws';
import type { LogLine } from '../../query/logql/engine.ts';
import { compilePipeline } from '../../query/logql/pipeline/compile-pipeline.ts';
import { LineLabels } from '../../query/logql/pipeline/line-labels.ts';
import type { PipelineLine } from '../../query/logql/pipeline/stage.ts';
import type { LogEntry } from '../../query/logql/stream-labels.ts';
import { TailEntries } from '../../query/logql-store/tail-entry.ts';
import type { LogTail } from '../../query/logs/log-tail.ts';
import { streamsJson } from './encode-result.ts';

/** Lines are gathered for so long before they are sent. */
const flushMs = 200;
/** Lines that wait to be sent, and bytes that wait for the client to read; what comes beyond is dropped, and said. */
const maxWaiting = 5_000;
const maxBufferedBytes = 1024 * 1024;
/** Dropped lines that are named in one message, as in Loki; all of them are counted. */
const maxNamed = 100;
const pingMs = 15_000;
/** Pings in a row that find the client not reading; then it is given up. */
const mostFullPings = 4;

/** One live tail: lines that a query keeps, sent to one client. Nobody waits for it: a client that reads slowly misses lines. */
export class LineTail {
  readonly #logTail: LogTail;
  readonly #matches: (entry: LogEntry) => boolean;
  readonly #run: ReturnType<typeof compilePipeline>;
  readonly #line: PipelineLine = { time: 0n, line: '', labels: new LineLabels() };
  readonly #entries = new TailEntries();
  readonly #categorizesLabels: boolean;
  /** Lines that came before are not there yet. */
  #isBeginning = true;
  #waiting: LogLine[] = [];
  #dropped = 0;
  #named: { labels: object; timestamp: string }[] = [];

  /** Throws LogqlParseError for a pipeline that can't be compiled. */
  constructor(logTail: LogTail, { matchers, stages }: LogExpr, categorizesLabels: boolean) {
    this.#logTail = logTail;
    this.#categorizesLabels = categorizesLabels;
    this.#run = compilePipeline(stages);
    const tests = matchers.map((matcher) => ({ name: matcher.name, matches: compileMatcher(matcher) }));
    this.#matches = ({ stream }) => tests.every(({ name, matches }) => matches(stream.get(name)));
  }

  /** Listens from now on, and sends until the client goes away. Throws `resource_exhausted` when too many watch already. */
  start(webSocket: WebSocket): void {
    const stop = this.#logTail.watch({
      onCandidate: (candidate) => this.#take(this.#entries.entryOf(candidate)),
      onDropped: (count) => {
        this.#dropped += count;
      },
    });
    const flush = setInterval(() => this.#flush(webSocket), flushMs);
    let fullPings = 0;
    const ping = setInterval(() => {
      fullPings = webSocket.bufferedAmount > maxBufferedBytes ? fullPings + 1 : 0;
      if (fullPings >= mostFullPings) webSocket.terminate();
      else webSocket.ping();
    }, pingMs);
    webSocket.on('close', () => {
      stop();
      clearInterval(flush);
      clearInterval(ping);
    });
  }

  /** Tells the lines that came before, and what came since. Lines that are among both are told once. */
  begin(before: readonly LogLine[]): void {
    const told = new Set(before.map(({ time, line }) => `${time} ${line}`));
    this.#waiting = [...before, ...this.#waiting.filter(({ time, line }) => !told.has(`${time} ${line}`))];
    this.#isBeginning = false;
  }

  #take(entry: LogEntry): void {
    if (!this.#matches(entry)) return;
    const line = this.#line;
    const { labels } = line;
    labels.reset(entry);
    line.time = entry.time;
    line.line = entry.line;
    if (!this.#run(line)) return;
    if (this.#waiting.length >= maxWaiting) {
      this.#dropped++;
      if (this.#named.length < maxNamed) {
        this.#named.push({ labels: Object.fromEntries(labels.streamEntries()), timestamp: String(entry.time) });
      }
      return;
    }
    this.#waiting.push({
      time: entry.time,
      line: line.line,
      stream: labels.streamEntries(),
      metadata: [...labels.metadata],
      parsed: labels.parsedEntries(),
      implied: entry.implied,
    });
  }

  #flush(webSocket: WebSocket): void {
    if (this.#isBeginning || (this.#waiting.length === 0 && this.#dropped === 0)) return;
    // Nothing more is written to a client that has not read what it was sent.
    if (webSocket.readyState !== webSocket.OPEN || webSocket.bufferedAmount > maxBufferedBytes) return;
    const message = {
      streams: streamsJson(this.#waiting, this.#categorizesLabels),
      ...(this.#categorizesLabels ? { encodingFlags: ['categorize-labels'] } : {}),
      ...(this.#dropped === 0 ? {} : { dropped_entries: this.#named, dropped_count: this.#dropped }),
    };
    this.#waiting = [];
    this.#named = [];
    this.#dropped = 0;
    webSocket.send(JSON.stringify(message));
  }
}
