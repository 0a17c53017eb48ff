import { expect, test } from 'vitest';
import { Turns } from './turns.ts';

const inAnHour = (): number => Date.now() + 3_600_000;

test('work goes on for as long as somebody waits for it', async () => {
  const client = new AbortController();
  const turns = new Turns({ signal: client.signal, deadlineMs: inAnHour() });
  await turns.next();
  // The client leaves while others have their turn.
  const next = turns.next();
  client.abort();
  await expect(next).rejects.toThrow(expect.objectContaining({ code: 'cancelled' }));
});

test('work ends when its time is over', async () => {
  const turns = new Turns({ signal: new AbortController().signal, deadlineMs: Date.now() - 1 });
  await expect(turns.next()).rejects.toThrow(expect.objectContaining({ code: 'timeout' }));
});

test('work for no request ends by itself', async () => {
  await expect(new Turns().next()).resolves.toBeUndefined();
});
