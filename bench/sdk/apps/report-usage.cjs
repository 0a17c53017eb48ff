// Answers SIGUSR2 with the CPU time of the whole process so far, in microseconds: /proc counts in steps of ten milliseconds.
// With --expose-gc it says what its heap holds after a collection as well.
const { writeSync } = require('node:fs');

process.on('SIGUSR2', () => {
  const { user, system } = process.cpuUsage();
  writeSync(1, `usage=${user + system}\n`);
  if (globalThis.gc === undefined) return;
  globalThis.gc();
  writeSync(1, `heap=${process.memoryUsage().heapUsed}\n`);
});
exports.listening = (port) => writeSync(1, `port=${port} ready=${performance.now().toFixed(2)}\n`);
