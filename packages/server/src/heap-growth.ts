import { setFlagsFromString } from 'node:v8';

/**
 * Lets V8's heap grow to two and a half times what lives in it before all of it is marked. To be called before anything is received.
 *
 * V8 adds the bytes of buffers to those of its heap when it decides whether to mark. Ours is small, 25 MB, and each request brings a megabyte
 * of bodies and columns which are done with a moment later: the whole heap was marked eight times a second at 70,000 spans/s, for a fifth
 * of the process's CPU and pauses of 20 to 150 ms. Young buffers are freed by the collection of young objects, in 1 to 3 ms, as soon as
 * marking does not come first (docs/benchmarks.md, "Ingest").
 */
export function letHeapGrow(): void {
  setFlagsFromString(`--heap-growing-percent=${GROWTH_PERCENT}`);
}

const GROWTH_PERCENT = 150;
