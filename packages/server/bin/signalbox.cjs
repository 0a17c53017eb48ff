#!/usr/bin/env node
// CommonJS, because libuv reads the size of its thread pool once, before any module of ours could set it: each running query of the
// embedded ClickHouse occupies one of these threads, and gunzip and file reads need theirs too.
process.env.UV_THREADPOOL_SIZE ??= '16';

import('../dist/main.js').then(
  ({ main }) => main(process.argv.slice(2)),
  (error) => {
    console.error(error.code === 'ERR_MODULE_NOT_FOUND' ? `Signalbox is not built: ${error.message}` : error);
    process.exitCode = 1;
  },
);
