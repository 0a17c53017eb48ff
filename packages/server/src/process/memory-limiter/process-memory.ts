import { totalmem } from 'node:os';
import { getHeapStatistics, setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

export interface Memory {
  /** What the program's own objects and buffers take; not the embedded engine's, which has a limit of its own. */
  usedBytes(): number;
  /** Frees what nobody refers to any more. Stops the program meanwhile. */
  collect(): void;
}

let gc: (() => void) | null = null;

/** The memory of this process. */
export const processMemory: Memory = {
  usedBytes() {
    const { used_heap_size, external_memory } = getHeapStatistics();
    return used_heap_size + external_memory;
  },
  collect() {
    if (gc === null) {
      setFlagsFromString('--expose-gc');
      gc = runInNewContext('gc') as () => void;
    }
    gc();
  },
};

/** Memory that the process may use: the machine's, or what its container is given. */
export function availableBytes(): number {
  const constrained = process.constrainedMemory();
  return constrained > 0 && constrained < totalmem() ? constrained : totalmem();
}
