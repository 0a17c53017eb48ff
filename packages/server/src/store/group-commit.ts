import type { ConsumeResult, Consumer } from '../pipeline/consumer.ts';
import { SignalboxError } from '../pipeline/signalbox-error.ts';
import type { BlockBuilder, TableBlock } from './block-builder.ts';
import { isAboutTheRows, STORE_RETRY_MS } from './clickhouse/engine-error.ts';

export interface GroupCommitOptions<Batch> {
  createBuilder(): BlockBuilder<Batch>;
  /** @param more whether others are on their way; undefined: these rows should not wait for others */
  insert(block: TableBlock, more: (() => boolean) | undefined): Promise<void>;
  /** Bytes of memory that the batch holds. */
  sizeOf(batch: Batch): number;
  /** A group of so many rows is written without waiting for more. */
  readonly maxRows?: number;
  /** A group of so many bytes is written without waiting for more. */
  readonly maxBytes?: number;
  /** How long a first batch waits for company at least, in ms. */
  readonly lingerMs?: number;
  /** How long it waits at most, in ms. In between, as long as the last insert took: a small insert costs nearly what a large one does. */
  readonly maxLingerMs?: number;
  /** How long it waits while others keep coming, in ms: at least, and at most. In between, three times as long as the last insert took. */
  readonly minGatheringMs?: number;
  readonly maxGatheringMs?: number;
  /** Bytes of batches that may wait or be on their way at once; beyond, senders are asked to come again. */
  readonly maxPendingBytes?: number;
}

interface Group<Batch> {
  builder: BlockBuilder<Batch>;
  readonly members: Member<Batch>[];
  readonly openedAt: number;
  lastJoinedAt: number;
  timer: NodeJS.Timeout | undefined;
  /** It has waited for company long enough, and goes on gathering only while another is written. */
  due: boolean;
}

interface Member<Batch> {
  readonly batch: Batch;
  readonly size: number;
  readonly result: ConsumeResult;
  resolve(result: ConsumeResult): void;
  reject(error: SignalboxError): void;
}

/**
 * Joins the batches of concurrent requests into one durable insert, so that fsync costs each a few milliseconds rather
 * than throughput. One group is written while the next gathers.
 *
 * A group whose rows are scattered over many partitions is written beside the others: one sender with old data must not
 * hold up those with new.
 *
 * When the engine refuses a group for its rows, halves of it are tried, until only the batches that it refuses are
 * refused. Rows may then be stored twice, never lost: delivery is at least once.
 */
export class GroupCommit<Batch> implements Consumer<Batch> {
  readonly #options: Required<GroupCommitOptions<Batch>>;
  readonly #spareBuilders: BlockBuilder<Batch>[] = [];
  readonly #queue: Group<Batch>[] = [];
  #gathering: Group<Batch> | undefined;
  #writing: Promise<void> | undefined;
  /** Groups that are scattered over time, one after the other. */
  #scattered: Promise<void> = Promise.resolve();
  #lastInsertMs = 0;
  #pendingBytes = 0;
  #closed = false;
  readonly #more = (): boolean => this.#pendingBytes > 0;

  constructor(options: GroupCommitOptions<Batch>) {
    this.#options = {
      maxRows: 50_000,
      // A row takes about a kilobyte. The engine needs half the processor time per row in blocks of 20,000 that it needs in 8,000.
      maxBytes: 24 * 1024 * 1024,
      lingerMs: 5,
      maxLingerMs: 50,
      minGatheringMs: 50,
      maxGatheringMs: 100,
      maxPendingBytes: 128 * 1024 * 1024,
      ...options,
    };
  }

  async consume(batch: Batch, signal?: AbortSignal): Promise<ConsumeResult> {
    if (signal?.aborted) {
      throw new SignalboxError('cancelled', 'The request was cancelled');
    }
    if (this.#closed) {
      throw new SignalboxError('unavailable', 'The store is shutting down', { retryAfterMs: STORE_RETRY_MS });
    }
    const size = this.#options.sizeOf(batch);
    if (this.#pendingBytes > 0 && this.#pendingBytes + size > this.#options.maxPendingBytes) {
      throw new SignalboxError('resource_exhausted', 'Too much is on its way to the store already', {
        retryAfterMs: STORE_RETRY_MS,
      });
    }
    const group = this.#openGroup();
    const result = this.#append(group, batch);
    return new Promise((resolve, reject) => {
      this.#pendingBytes += size;
      group.members.push({ batch, size, result, resolve, reject });
      group.lastJoinedAt = performance.now();
      const { maxRows, maxBytes } = this.#options;
      if (group.builder.rows >= maxRows || group.builder.byteLength >= maxBytes) {
        this.#seal(group);
      }
    });
  }

  /** Writes what is gathered and resolves when nothing is under way; `consume` refuses from now on. */
  async close(): Promise<void> {
    this.#closed = true;
    if (this.#gathering !== undefined) {
      this.#seal(this.#gathering);
    }
    await this.#writing;
    await this.#scattered;
  }

  #openGroup(): Group<Batch> {
    if (this.#gathering === undefined) {
      const builder = this.#spareBuilders.pop() ?? this.#options.createBuilder();
      const now = performance.now();
      const group: Group<Batch> = {
        builder,
        members: [],
        openedAt: now,
        lastJoinedAt: now,
        timer: undefined,
        due: false,
      };
      const { lingerMs, maxLingerMs } = this.#options;
      this.#waitForMore(group, Math.min(Math.max(lingerMs, this.#lastInsertMs), maxLingerMs));
      this.#gathering = group;
    }
    return this.#gathering;
  }

  #waitForMore(group: Group<Batch>, ms: number): void {
    group.timer = setTimeout(() => {
      const more = this.#worthWaitingMs(group);
      if (more > 0) {
        this.#waitForMore(group, more);
        return;
      }
      group.due = true;
      if (this.#writing === undefined) {
        this.#seal(group);
      }
    }, ms);
  }

  /**
   * How long a group that has waited goes on waiting, in ms: while others keep coming, since twice the rows in an insert cost far
   * less than two inserts, with their merges. Not when nobody has come for several times the usual pause between two: senders who
   * wait for their answers before they send again are all here then.
   */
  #worthWaitingMs({ openedAt, lastJoinedAt, members }: Group<Batch>): number {
    const now = performance.now();
    const pauseMs = (lastJoinedAt - openedAt) / (members.length - 1 || 1);
    const { minGatheringMs, maxGatheringMs } = this.#options;
    const limit = openedAt + Math.min(Math.max(this.#lastInsertMs * 3, minGatheringMs), maxGatheringMs);
    return Math.ceil(Math.min(lastJoinedAt + pauseMs * LONG_PAUSE, limit) - now);
  }

  #append(group: Group<Batch>, batch: Batch): ConsumeResult {
    try {
      return group.builder.append(batch);
    } catch (error) {
      // A batch that breaks the encoder must not take the others of its group with it, nor leave behind the buffers that it stretched.
      group.builder = this.#options.createBuilder();
      for (const member of group.members) {
        group.builder.append(member.batch);
      }
      throw error;
    }
  }

  #seal(group: Group<Batch>): void {
    clearTimeout(group.timer);
    if (this.#gathering === group) {
      this.#gathering = undefined;
    }
    this.#queue.push(group);
    this.#writing ??= this.#writeQueue();
  }

  async #writeQueue(): Promise<void> {
    for (let group = this.#nextGroup(); group !== undefined; group = this.#nextGroup()) {
      if (group.builder.partitions > MANY_PARTITIONS) {
        this.#scattered = this.#scattered.then(() => this.#writeGroup(group));
        // So that this function never ends before its promise is known.
        await Promise.resolve();
      } else {
        await this.#writeGroup(group);
      }
    }
    this.#writing = undefined;
  }

  async #writeGroup({ builder, members }: Group<Batch>): Promise<void> {
    const start = performance.now();
    await this.#write(builder, members, builder.partitions > MANY_PARTITIONS ? undefined : this.#more);
    this.#lastInsertMs = performance.now() - start;
    // Its buffers never shrink: one that a huge batch has stretched is let go.
    const usual = builder.byteLength <= this.#options.maxBytes * 2;
    builder.reset();
    if (usual && this.#spareBuilders.length < MAX_SPARE_BUILDERS) {
      this.#spareBuilders.push(builder);
    }
  }

  #nextGroup(): Group<Batch> | undefined {
    const group = this.#queue.shift();
    if (group === undefined && this.#gathering?.due) {
      const due = this.#gathering;
      this.#gathering = undefined;
      return due;
    }
    return group;
  }

  /** Writes the builder's rows, which are those of `members`, and settles each member. Never rejects. */
  async #write(
    builder: BlockBuilder<Batch>,
    members: readonly Member<Batch>[],
    more: (() => boolean) | undefined,
  ): Promise<void> {
    try {
      for (const block of builder.blocks()) {
        await this.#options.insert(block, more);
      }
      builder.committed();
      for (const member of members) {
        this.#settle(member, undefined);
      }
    } catch (error) {
      const refusal = refusalOf(error);
      if (!isAboutTheRows(refusal) || members.length <= 1) {
        for (const member of members) {
          this.#settle(member, refusal);
        }
        return;
      }
      const middle = members.length >> 1;
      for (const half of [members.slice(0, middle), members.slice(middle)]) {
        await this.#write(builder, this.#appendAgain(builder, half), more);
      }
    }
  }

  /** Fills the builder anew with the members' rows, and refuses those that it does not take again; gives the others. */
  #appendAgain(builder: BlockBuilder<Batch>, members: readonly Member<Batch>[]): Member<Batch>[] {
    builder.reset();
    const appended: Member<Batch>[] = [];
    for (const member of members) {
      try {
        builder.append(member.batch);
        appended.push(member);
      } catch (error) {
        this.#settle(member, refusalOf(error));
        builder.reset();
        for (const { batch } of appended) {
          builder.append(batch);
        }
      }
    }
    return appended;
  }

  #settle(member: Member<Batch>, error: SignalboxError | undefined): void {
    this.#pendingBytes -= member.size;
    if (error === undefined) {
      member.resolve(member.result);
    } else {
      member.reject(error);
    }
  }
}

function refusalOf(error: unknown): SignalboxError {
  return error instanceof SignalboxError ? error : new SignalboxError('internal', 'The store failed', { cause: error });
}

/** So many usual pauses in a row happen once in 150 times to senders who come by chance. */
const LONG_PAUSE = 5;

/** A group over more partitions takes seconds to write, and must not hold up those after it. */
const MANY_PARTITIONS = 8;

/** One is written while one gathers; more exist only when inserts are behind. */
const MAX_SPARE_BUILDERS = 2;
