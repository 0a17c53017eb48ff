import { describe, expect, it } from 'vitest';
import { spanBatch } from '../testing/spans.ts';
import { type Call, PendingCalls, Waiting } from './pending-calls.ts';

const hex = (value: number) => value.toString(16).padStart(16, '0');

function batchOf(spanIds: readonly number[]) {
  return spanBatch(...spanIds.map((id) => ({ spanId: hex(id) })));
}

describe('PendingCalls', () => {
  it('finds what a map would find, through any number of additions, removals and expiries', () => {
    const pending = new PendingCalls(5_000, 500);
    const expected = new Map<number, { duration: number; expiresAt: number }>();
    const batch = batchOf(Array.from({ length: 4_000 }, (_, id) => id + 1));
    const call: Call = { source: 'web', time: 10, duration: 0, error: false, weight: 1 };
    const differences: string[] = [];
    let state = 12_345;
    const random = (below: number) => {
      state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fff_ffff;
      return state % below;
    };
    for (let now = 0; now < 8_000; now++) {
      while (pending.isOldestOver(now)) {
        pending.remove(pending.oldest);
      }
      for (const [row, { expiresAt }] of expected) {
        if (expiresAt > now) break;
        expected.delete(row);
      }
      const row = random(4_000);
      const place = pending.find(batch, batch.spanId, row);
      const known = expected.get(row);
      if (place >= 0 !== (known !== undefined)) differences.push(`row ${row} at ${now}: ${place}`);
      if (known === undefined) {
        pending.addCall(Waiting.Call, { ...call, duration: now }, null, now);
        expected.set(row, { duration: now, expiresAt: now + 500 });
      } else {
        pending.readCall(place, call);
        if (call.duration !== known.duration) differences.push(`row ${row} at ${now}: ${call.duration}`);
        if (random(2) === 0) {
          pending.remove(place);
          expected.delete(row);
        }
      }
    }
    expect(differences).toEqual([]);
  });

  it('grows beyond its first places, and is full when it may hold no more', () => {
    const pending = new PendingCalls(3_000, 1_000);
    const batch = batchOf(Array.from({ length: 3_000 }, (_, id) => id + 1));
    for (let row = 0; row < 3_000; row++) {
      if (pending.isFull || pending.find(batch, batch.spanId, row) >= 0) throw new Error(`at ${row}`);
      pending.addReceiver(`service ${row}`, row);
    }
    expect(pending.isFull).toBe(true);
    for (const row of [0, 1, 1_023, 1_024, 2_999]) {
      expect(pending.target(pending.find(batch, batch.spanId, row))).toBe(`service ${row}`);
    }
    expect(pending.target(pending.oldest)).toBe('service 0');
  });

  it('forgets the texts and further receivers of what it removes', () => {
    const pending = new PendingCalls(10, 1_000);
    const batch = batchOf([1]);
    pending.find(batch, batch.spanId, 0);
    pending.addReceiver('mail', 0);
    const place = pending.find(batch, batch.spanId, 0);
    for (const service of ['billing', 'search', 'audit']) pending.addTarget(place, service, 3);
    expect(pending.moreTargets(place)).toEqual(['billing', 'search']);
    pending.remove(place);
    expect(pending.find(batch, batch.spanId, 0)).toBe(-1);
    expect(pending.target(place)).toBeNull();
    pending.addReceiver('mail', 0);
    expect(pending.moreTargets(pending.find(batch, batch.spanId, 0))).toEqual([]);
  });
});
