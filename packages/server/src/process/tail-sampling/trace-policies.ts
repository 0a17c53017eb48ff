import { textOf } from '@signalbox/records';
import type { SpanCursor } from '../ottl/span-cursor.ts';
import { type Policy, samplesWhere } from './policy.ts';

const NANOSECONDS_PER_MS = 1_000_000n;

export const alwaysSample: Policy = () => 'sampled';

/** From the earliest start to the latest end. With an upper threshold the lower one is exclusive, as upstream has it. */
export function latency(thresholdMs: number, upperThresholdMs: number | null): Policy {
  return samplesWhere((trace) => {
    let start = 0xffff_ffff_ffff_ffffn;
    let end = 0n;
    trace.some(({ spans, row }) => {
      const from = spans.startTime.values[row] as bigint;
      const to = spans.endTime.values[row] as bigint;
      start = from < start ? from : start;
      end = to > end ? to : end;
      return false;
    });
    const duration = end < start ? 0 : Number((end - start) / NANOSECONDS_PER_MS);
    return upperThresholdMs === null ? duration >= thresholdMs : thresholdMs < duration && duration <= upperThresholdMs;
  });
}

/** Numbers of OTLP. */
export function statusCode(codes: readonly number[]): Policy {
  const wanted = new Set(codes);
  return samplesWhere((trace) => trace.some(({ spans, row }) => wanted.has(spans.statusCode[row] as number)));
}

/** A member of the W3C tracestate with one of the values. */
export function traceState(key: string, values: readonly string[]): Policy {
  const members = new Set(values.map((value) => `${key}=${value}`));
  return samplesWhere((trace) =>
    trace.some(({ spans, row }) => {
      if (spans.traceState.start[row] === spans.traceState.end[row]) {
        return false;
      }
      const state = textOf(spans.bytes, spans.traceState, row);
      return state.split(',').some((member) => members.has(member.trim()));
    }),
  );
}

/** The sampled flag of W3C Trace Context on any span. */
export const traceFlags: Policy = samplesWhere((trace) =>
  trace.some(({ spans, row }) => ((spans.flags[row] as number) & 1) === 1),
);

export function spanCount(min: number, max: number | null): Policy {
  return samplesWhere(({ spanCount: count }) => count >= min && (max === null || count <= max));
}

/** Conditions on spans and on events; null: none. */
export function ottlCondition(
  span: ((cursor: SpanCursor) => boolean) | null,
  event: ((cursor: SpanCursor) => boolean) | null,
): Policy {
  return samplesWhere((trace) =>
    trace.some((cursor) => {
      const { row, spans } = cursor;
      if (span?.(cursor)) {
        return true;
      }
      if (event === null) {
        return false;
      }
      const end = spans.events.offsets[row + 1] as number;
      for (let entry = spans.events.offsets[row] as number; entry < end; entry++) {
        cursor.moveToEvent(row, entry);
        if (event(cursor)) {
          return true;
        }
      }
      return false;
    }),
  );
}

const DEFAULT_SALT = 'default-hash-seed';
const FNV_OFFSET = 0xcbf29ce484222325n;
const FNV_PRIME = 0x100000001b3n;

/** A share of the traces by a hash of their id (FNV-1a of 64 bits over salt and id), so that several processes decide alike. */
export function probabilistic(percentage: number, salt: string): Policy {
  const salted = fnv(FNV_OFFSET, Buffer.from(salt === '' ? DEFAULT_SALT : salt));
  const share = Math.min(Math.max(percentage / 100, 0), 1);
  const threshold = share === 1 ? 2n ** 64n - 1n : BigInt(Math.floor(share * 2 ** 53)) << 11n;
  return samplesWhere(({ id }) => share > 0 && fnv(salted, Buffer.from(id, 'latin1')) <= threshold);
}

function fnv(start: bigint, bytes: Uint8Array): bigint {
  let hash = start;
  for (const byte of bytes) {
    hash = BigInt.asUintN(64, (hash ^ BigInt(byte)) * FNV_PRIME);
  }
  return hash;
}
