/** Round values between two others, about so many: 1, 2 or 5 times a power of ten apart. */
export function niceTicks(start: number, end: number, about: number): number[] {
  const length = end - start;
  if (!(length > 0) || about < 1) return [start];
  const rough = length / about;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = ([1, 2, 5, 10].find((factor) => factor * power >= rough) ?? 10) * power;
  const ticks: number[] = [];
  for (let index = Math.ceil(start / step - 1e-9); index * step <= end + step * 1e-9 && ticks.length < 100; index++)
    ticks.push(index * step);
  return ticks;
}
