import type { Warnings } from '../warnings.ts';
import { Spool, type SpoolSettings } from './spool.ts';

/** A function, for `register` to have the class in another file. */
export function createSpool(settings: SpoolSettings, warnings: Warnings): Spool {
  return new Spool(settings, warnings);
}
