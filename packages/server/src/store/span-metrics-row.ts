export type { EdgeRow, RedRow } from '../pipeline/span-metrics-row.ts';
