import type { KeyValue, LogRecord } from '@signalbox/api-contract';
import { useVirtualizer } from '@tanstack/react-virtual';
import { useCallback, useEffect, useRef, useState } from 'react';
import { useShortcuts } from '../shell/shortcuts.tsx';
import { useRowKeys } from '../shell/use-row-keys.ts';
import { LogRow } from './log-row.tsx';
import styles from './logs-page.module.css';

interface Props {
  logs: readonly LogRecord[];
  faded?: boolean;
  /** The id of the opened record. */
  open: string | undefined;
  onOpen: (id: string | undefined) => void;
  onFilter: (attribute: KeyValue, scope: '' | 'resource.', negate: boolean) => void;
  /** The end is near: more is wanted. */
  onEnd?: (() => void) | undefined;
  loadingMore?: boolean;
}

const rowHeight = 27;

/** However many records there are, only those in sight are in the document. */
export function VirtualLogs({ logs, faded = false, open, onOpen, onFilter, onEnd, loadingMore = false }: Props) {
  const scroller = useRef<HTMLDivElement>(null);
  // The same function as long as the records are the same: for another one the virtualizer measures all of them again, in each frame.
  const getItemKey = useCallback((index: number) => logs[index]?.id ?? index, [logs]);
  const virtualizer = useVirtualizer({
    count: logs.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => rowHeight,
    overscan: 14,
    getItemKey,
  });
  const { selected } = useRowKeys(
    logs.length,
    (index) => toggle(logs[index]?.id),
    (index) => virtualizer.scrollToIndex(index, { align: 'auto' }),
  );
  useShortcuts({ escape: () => onOpen(undefined) });

  const handlers = useRef({ open, onOpen, onFilter });
  handlers.current = { open, onOpen, onFilter };
  const [stable] = useState(() => ({
    toggle: (id: string) => handlers.current.onOpen(handlers.current.open === id ? undefined : id),
    filter: (attribute: KeyValue, scope: '' | 'resource.', negate: boolean) =>
      handlers.current.onFilter(attribute, scope, negate),
  }));
  const toggle = (id: string | undefined) => {
    if (id) stable.toggle(id);
  };

  const items = virtualizer.getVirtualItems();
  const last = items.at(-1)?.index ?? 0;
  const wanted = onEnd !== undefined && last > logs.length - 120;
  useEffect(() => {
    if (wanted) onEnd?.();
  }, [wanted, onEnd]);

  return (
    <div
      ref={scroller}
      className={styles.scroller}
      tabIndex={-1}
      style={faded ? { opacity: 0.55 } : undefined}
      data-testid="log-scroller"
    >
      <div className={styles.canvas} style={{ height: virtualizer.getTotalSize() + (loadingMore ? 32 : 0) }}>
        {items.map((item) => {
          const log = logs[item.index];
          if (!log) return null;
          return (
            <div
              key={item.key}
              ref={virtualizer.measureElement}
              data-index={item.index}
              className={styles.item}
              style={{ transform: `translateY(${item.start}px)` }}
            >
              <LogRow
                log={log}
                open={log.id === open}
                selected={item.index === selected}
                onToggle={stable.toggle}
                onFilter={stable.filter}
              />
            </div>
          );
        })}
        {loadingMore ? <div className={styles.more}>Loading more …</div> : null}
      </div>
    </div>
  );
}
