/** Round values between two others, about so many: 1, 2 or 5 times a power of ten apart. */
export function niceTicks(start: number, end: number, about: number): number[] {
  const length = end - start;
  if (!(length > 0) || about < 1) return [start];
  const rough = length / about;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = ([1, 2, 5, 10].find((factor) => factor * power >= rough) ?? 10) * power;
  const ticks: number[] = [];
  for (let index = Math.ceil(start / step - 1e-9); index * step <= end + step * 1e-9 && ticks.length < 100; index++)
    // A sum, because -0 + 0 is 0.
    ticks.push(index * step + 0);
  return ticks;
}

/** Whole seconds, minutes, hours, days of the reader's time zone, at most about so many. */
export function timeTicks(startMs: number, endMs: number, about: number): number[] {
  const steps = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10_800, 21_600, 43_200, 86_400].map(
    (seconds) => seconds * 1000,
  );
  const step = steps.find((one) => (endMs - startMs) / one <= about);
  if (!step) return niceTicks(startMs, endMs, about);
  const zone = new Date(startMs).getTimezoneOffset() * 60e3;
  const ticks: number[] = [];
  for (let tick = Math.ceil((startMs - zone) / step) * step + zone; tick <= endMs; tick += step) ticks.push(tick);
  return ticks;
}
