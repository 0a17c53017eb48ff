/** One colour per service, everywhere and forever the same: from a hash of its name, never from its place in a list. */

// Chosen so that names of services that are often seen together (those of the examples, `api`, `worker`, …) get colours that are apart.
const basis = 854_486_834;

/** FNV-1a, 32 bits, with a basis of our own. */
function hashText(text: string): number {
  let hash = basis;
  for (let index = 0; index < text.length; index++) {
    hash ^= text.charCodeAt(index);
    hash = Math.imul(hash, 0x01000193);
  }
  // FNV's low bits are its good ones; mixing makes all of them good for names that differ by one letter.
  hash ^= hash >>> 15;
  hash = Math.imul(hash, 0x2c1b3c6d);
  return (hash ^ (hash >>> 13)) >>> 0;
}

// Hues of OKLCH, apart enough to be told from each other. None near 25°: red is kept for errors; none near 105°, which turns to mud in the light theme.
const hues = [78, 132, 152, 172, 192, 212, 232, 250, 268, 285, 303, 322, 342];

/** For a canvas, which knows no theme. */
export function serviceColor(name: string, dark: boolean): string {
  const { hue, tone } = shade(name);
  return dark ? darkColor(hue, tone) : lightColor(hue, tone);
}

/** For CSS: follows the page's color-scheme by itself. */
export function serviceColorCss(name: string): string {
  const { hue, tone } = shade(name);
  return `light-dark(${lightColor(hue, tone)}, ${darkColor(hue, tone)})`;
}

function shade(name: string): { hue: number; tone: number } {
  const hash = hashText(name);
  return { hue: hues[hash % hues.length] ?? 240, tone: (hash >>> 20) % 2 };
}

function lightColor(hue: number, tone: number): string {
  return `oklch(${tone ? 0.52 : 0.62} 0.13 ${hue})`;
}

function darkColor(hue: number, tone: number): string {
  return `oklch(${tone ? 0.66 : 0.75} 0.12 ${hue})`;
}

/** The n-th line of a chart whose series have no service of their own. */
export function seriesColor(index: number, dark: boolean): string {
  const hue = [258, 160, 312, 95, 220, 340, 130, 285, 75, 190][index % 10] ?? 258;
  const tone = Math.floor(index / 10) % 2;
  return dark ? darkColor(hue, tone ? 1 : 0) : lightColor(hue, tone ? 1 : 0);
}
