import { isMainThread } from 'node:worker_threads';
import * as own from './index.ts';
import { shareInstance } from './shared-instance.ts';

const { start } = shareInstance(own);
// `--import` is inherited by worker threads, pino's transports among them; a second SDK there would report the same
// process twice. A worker that wants telemetry calls `start` itself.
if (isMainThread) start();
