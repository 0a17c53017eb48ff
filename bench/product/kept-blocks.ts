// Keeps the Native blocks that a running Signalbox inserts: node kept-blocks.ts TMP TO makes a hard link in TO of every file that
// appears in TMP, before the program removes it after its insert. Says "watching" when it does; ends on SIGTERM.
import { linkSync, watch } from 'node:fs';
import { join } from 'node:path';

const [from = '', to = ''] = process.argv.slice(2);
watch(from, (event, name) => {
  if (event !== 'rename' || name === null || !name.endsWith('.native')) return;
  try {
    linkSync(join(from, name), join(to, name));
  } catch (error) {
    // EEXIST: this is the event of its removal. ENOENT: the insert was over before this process had its turn.
    const { code } = error as NodeJS.ErrnoException;
    if (code !== 'EEXIST' && code !== 'ENOENT') throw error;
  }
});
console.log('watching');
