// What runs in a worker thread: some work, and a failure if that is asked for.
import { workerData } from 'node:worker_threads';

const { fails }: { fails: boolean } = workerData;
let sum = 0;
for (let n = 0; n < 1e6; n += 1) sum += n % 7;
if (fails) throw new Error(`the task failed after ${sum}`);
