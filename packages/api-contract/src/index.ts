/**
 * The page's own HTTP API, under `/api/signalbox/`: requests are GET with query parameters (repeatable ones repeat the name),
 * answers are JSON. Every answer carries `X-Signalbox-Query-Id`. Types, tiny constants,
 * and the filter language's parser, all of them browser-safe: the page and the server agree here.
 */
export * from './attributes.ts';
export * from './errors.ts';
export * from './fields.ts';
export * from './filter.ts';
export * from './filter-parser.ts';
export * from './logs.ts';
export * from './metrics.ts';
export * from './services.ts';
export * from './status.ts';
export * from './time.ts';
export * from './traces.ts';
