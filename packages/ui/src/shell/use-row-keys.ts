import { useEffect, useState } from 'react';
import { useShortcuts } from './shortcuts.tsx';

/** j and k move through a list, Enter opens. -1: nothing selected yet. */
export function useRowKeys(
  count: number,
  open: (index: number) => void,
  onMove?: (index: number) => void,
): { selected: number; select: (index: number) => void } {
  const [selected, setSelected] = useState(-1);
  useEffect(() => {
    if (selected >= count) setSelected(count - 1);
  }, [count, selected]);
  function move(by: number) {
    if (count === 0) return;
    const next = Math.max(0, Math.min(count - 1, selected + by));
    setSelected(next);
    // Enter is to open the row now, not once more the link that led here.
    if (document.activeElement instanceof HTMLElement) document.activeElement.blur();
    onMove?.(next);
    if (!onMove)
      requestAnimationFrame(() =>
        document
          .querySelector('tr[aria-selected="true"], [data-testid="trace-row"][data-selected]')
          ?.scrollIntoView({ block: 'nearest' }),
      );
  }
  useShortcuts({
    j: () => move(1),
    arrowdown: () => move(1),
    k: () => move(-1),
    arrowup: () => move(-1),
    enter: () => {
      if (selected >= 0) open(selected);
    },
  });
  return { selected, select: setSelected };
}
