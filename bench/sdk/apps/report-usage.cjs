// Answers SIGUSR2 with the CPU time of the whole process so far, in microseconds: /proc counts in steps of ten milliseconds.
const { writeSync } = require('node:fs');

process.on('SIGUSR2', () => {
  const { user, system } = process.cpuUsage();
  writeSync(1, `usage=${user + system}\n`);
});
exports.listening = (port) => writeSync(1, `port=${port} ready=${performance.now().toFixed(2)}\n`);
