/**
 * The page's own HTTP API, under `/api/signalbox/`: requests are GET with query parameters (repeatable ones repeat the name),
 * answers are JSON. Every answer carries `X-Signalbox-Query-Id`. Types only, but for tiny constants: the page and the server agree here.
 */
export * from './attributes.ts';
export * from './errors.ts';
export * from './fields.ts';
export * from './filter.ts';
export * from './logs.ts';
export * from './metrics.ts';
export * from './services.ts';
export * from './status.ts';
export * from './time.ts';
export * from './traces.ts';
