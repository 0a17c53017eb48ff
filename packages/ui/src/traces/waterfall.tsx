import { IconAlertTriangleFilled, IconChevronRight, IconClockExclamation, IconUnlink } from '@tabler/icons-react';
import { useVirtualizer } from '@tanstack/react-virtual';
import {
  memo,
  type PointerEvent as ReactPointerEvent,
  type RefObject,
  useCallback,
  useEffect,
  useRef,
  useState,
} from 'react';
import type { CriticalSection } from '../data/critical-path.ts';
import { formatCount, formatNanoseconds } from '../data/format.ts';
import { serviceColorCss } from '../data/service-color.ts';
import { shortDetail } from '../data/span-facts.ts';
import { niceTicks } from '../data/ticks.ts';
import type { WaterfallNode } from '../data/waterfall.ts';
import styles from './waterfall.module.css';

/** Nanoseconds from the trace's start. */
export interface View {
  readonly start: number;
  readonly end: number;
}

interface Props {
  rows: readonly WaterfallNode[];
  view: View;
  collapsed: ReadonlySet<string>;
  critical: ReadonlyMap<string, readonly CriticalSection[]>;
  selectedSpanId: string | undefined;
  /** Null when nothing is searched for. */
  matches: ReadonlySet<string> | null;
  onSelect: (spanId: string) => void;
  onToggle: (spanId: string) => void;
  onZoom: (start: number, end: number) => void;
  scrollTo: RefObject<((index: number) => void) | null>;
}

const rowHeight = 26;
const maxIndent = 24;

export function Waterfall({
  rows,
  view,
  collapsed,
  critical,
  selectedSpanId,
  matches,
  onSelect,
  onToggle,
  onZoom,
  scrollTo,
}: Props) {
  const scroller = useRef<HTMLDivElement>(null);
  const [names, setNames] = useState<number | null>(null);
  // The same function as long as the rows are the same: for another one the virtualizer measures all of them again, in each frame.
  const getItemKey = useCallback((index: number) => rows[index]?.span.spanId ?? index, [rows]);
  const virtualizer = useVirtualizer({
    count: rows.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => rowHeight,
    overscan: 12,
    getItemKey,
  });
  useEffect(() => {
    scrollTo.current = (index) => virtualizer.scrollToIndex(index, { align: 'auto' });
  }, [scrollTo, virtualizer]);
  // Rows are memoised: what they call must stay the same function.
  const handlers = useRef({ onSelect, onToggle });
  handlers.current = { onSelect, onToggle };
  const [stable] = useState(() => ({
    select: (spanId: string) => handlers.current.onSelect(spanId),
    toggle: (spanId: string) => handlers.current.onToggle(spanId),
  }));

  const ticks = niceTicks(view.start, view.end, 6);
  const length = Math.max(view.end - view.start, 1);
  const percent = (time: number) => ((time - view.start) / length) * 100;

  return (
    <div
      className={styles.container}
      style={{ '--names': names === null ? 'min(380px, 44%)' : `${names}px` } as React.CSSProperties}
    >
      <div className={styles.head}>
        <div className={styles.headNames}>
          Service and operation
          <Splitter onChange={setNames} />
        </div>
        <TimeRuler view={view} ticks={ticks} onZoom={onZoom} />
      </div>
      <div className={styles.scroller} ref={scroller} tabIndex={-1} role="tree" aria-label="Spans">
        <div className={styles.canvas} style={{ height: virtualizer.getTotalSize() }}>
          <div className={styles.grid} aria-hidden="true">
            {ticks.map((tick) => (
              <span key={tick} className={styles.gridLine} style={{ left: `${percent(tick)}%` }} />
            ))}
          </div>
          {virtualizer.getVirtualItems().map((item) => {
            const node = rows[item.index];
            if (!node) return null;
            const { spanId } = node.span;
            return (
              <Row
                key={item.key}
                node={node}
                top={item.start}
                viewStart={view.start}
                viewLength={length}
                collapsed={collapsed.has(spanId)}
                sections={critical.get(spanId)}
                selected={spanId === selectedSpanId}
                faded={matches !== null && !matches.has(spanId)}
                onSelect={stable.select}
                onToggle={stable.toggle}
              />
            );
          })}
        </div>
      </div>
    </div>
  );
}

interface RowProps {
  node: WaterfallNode;
  top: number;
  viewStart: number;
  viewLength: number;
  collapsed: boolean;
  sections: readonly CriticalSection[] | undefined;
  selected: boolean;
  faded: boolean;
  onSelect: (spanId: string) => void;
  onToggle: (spanId: string) => void;
}

const Row = memo(function Row({
  node,
  top,
  viewStart,
  viewLength,
  collapsed,
  sections,
  selected,
  faded,
  onSelect,
  onToggle,
}: RowProps) {
  const { span, depth, children } = node;
  const color = serviceColorCss(span.service);
  const error = span.status.code === 'ERROR';
  const left = ((node.start - viewStart) / viewLength) * 100;
  const width = ((node.end - node.start) / viewLength) * 100;
  const visible = left < 100 && left + width >= 0;
  const shownLeft = Math.max(0, left);
  const shownWidth = Math.min(100, left + width) - shownLeft;
  const duration = formatNanoseconds(node.end - node.start);
  const labelInside = shownLeft + shownWidth > 86;
  const labelBefore = labelInside && shownLeft > 14;
  const detail = shortDetail(span);
  return (
    // biome-ignore lint/a11y/useKeyWithClickEvents: j, k and Enter of the page move and open; a row is no tab stop of its own.
    <div
      className={styles.row}
      data-testid="waterfall-row"
      data-span-id={span.spanId}
      data-selected={selected || undefined}
      data-faded={faded || undefined}
      role="treeitem"
      tabIndex={-1}
      aria-level={depth + 1}
      aria-selected={selected}
      aria-expanded={children.length ? !collapsed : undefined}
      style={{ transform: `translateY(${top}px)` }}
      onClick={() => onSelect(span.spanId)}
    >
      <div className={styles.names}>
        <span className={styles.indent} style={{ width: Math.min(depth, maxIndent) * 14 }} />
        {children.length ? (
          <button
            type="button"
            tabIndex={-1}
            className={styles.toggle}
            data-open={!collapsed || undefined}
            aria-label={collapsed ? 'Expand' : 'Collapse'}
            onClick={(event) => {
              event.stopPropagation();
              onToggle(span.spanId);
            }}
          >
            <IconChevronRight size={13} stroke={2.2} />
          </button>
        ) : (
          <span className={styles.toggle} />
        )}
        <span className={styles.swatch} style={{ background: color }} />
        {error ? <IconAlertTriangleFilled size={12} className={styles.errorIcon} aria-label="Error" /> : null}
        {node.parentMissing ? (
          <IconUnlink size={12} className={styles.noteIcon} aria-label="Its parent is missing" />
        ) : null}
        {node.skewed ? (
          <IconClockExclamation
            size={12}
            className={styles.noteIcon}
            aria-label="Begins before its caller: clocks differ"
          />
        ) : null}
        <span className={styles.service}>{span.service}</span>
        <span className={styles.name} title={`${span.service}: ${span.name}`}>
          {span.name}
        </span>
        {detail ? <span className={styles.detail}>{detail}</span> : null}
        {collapsed ? (
          <span className={styles.hidden} data-error={node.errorsBelow > 0 || undefined}>
            +{formatCount(node.size - 1)}
            {node.errorsBelow > 0 ? `, ${formatCount(node.errorsBelow)} err` : ''}
          </span>
        ) : null}
      </div>
      <div className={styles.track}>
        {visible ? (
          <>
            <span
              className={styles.bar}
              data-error={error || undefined}
              style={{ left: `${shownLeft}%`, width: `max(2px, ${shownWidth}%)`, background: color }}
            />
            {sections?.map((section) => {
              const from = Math.max(0, ((section.start - viewStart) / viewLength) * 100);
              const until = Math.min(100, ((section.end - viewStart) / viewLength) * 100);
              return until > from ? (
                <span
                  key={section.start}
                  className={styles.critical}
                  style={{ left: `${from}%`, width: `max(1.5px, ${until - from}%)` }}
                />
              ) : null;
            })}
            <span
              className={styles.duration}
              data-inside={(labelInside && !labelBefore) || undefined}
              style={
                labelBefore
                  ? { right: `calc(${100 - shownLeft}% + 6px)` }
                  : labelInside
                    ? { right: `calc(${100 - shownLeft - shownWidth}% + 4px)` }
                    : { left: `calc(${shownLeft + shownWidth}% + 6px)` }
              }
            >
              {duration}
            </span>
          </>
        ) : (
          <span className={styles.outside} style={left >= 100 ? { right: 4 } : { left: 4 }}>
            {left >= 100 ? '→' : '←'}
          </span>
        )}
      </div>
    </div>
  );
});

/** Times along the top; dragging over it zooms. */
function TimeRuler({
  view,
  ticks,
  onZoom,
}: {
  view: View;
  ticks: readonly number[];
  onZoom: (start: number, end: number) => void;
}) {
  const ruler = useRef<HTMLDivElement>(null);
  const [drag, setDrag] = useState<{ from: number; to: number } | null>(null);
  const length = Math.max(view.end - view.start, 1);
  function at(event: ReactPointerEvent): number {
    const box = ruler.current?.getBoundingClientRect();
    return box ? Math.max(0, Math.min(1, (event.clientX - box.left) / box.width)) : 0;
  }
  return (
    <div
      ref={ruler}
      className={styles.ruler}
      title="Drag to zoom"
      onPointerDown={(event) => {
        event.currentTarget.setPointerCapture(event.pointerId);
        setDrag({ from: at(event), to: at(event) });
      }}
      onPointerMove={(event) => setDrag((before) => (before ? { from: before.from, to: at(event) } : null))}
      onPointerUp={() => {
        if (drag && Math.abs(drag.to - drag.from) > 0.005) {
          const [from, to] = drag.from < drag.to ? [drag.from, drag.to] : [drag.to, drag.from];
          onZoom(view.start + from * length, view.start + to * length);
        }
        setDrag(null);
      }}
    >
      {ticks.map((tick) => (
        <span
          key={tick}
          className={styles.tick}
          data-last={(tick - view.start) / length > 0.92 || undefined}
          style={{ left: `${((tick - view.start) / length) * 100}%` }}
        >
          <span>{formatNanoseconds(tick)}</span>
        </span>
      ))}
      {drag ? (
        <span
          className={styles.drag}
          style={{ left: `${Math.min(drag.from, drag.to) * 100}%`, width: `${Math.abs(drag.to - drag.from) * 100}%` }}
        />
      ) : null}
    </div>
  );
}

/** At the right end of what it makes wider and narrower. */
function Splitter({ onChange }: { onChange: (width: number) => void }) {
  const start = useRef<{ x: number; width: number } | null>(null);
  const clamp = (value: number) => Math.max(180, Math.min(900, value));
  const widthOf = (splitter: HTMLElement) => splitter.parentElement?.offsetWidth ?? 0;
  return (
    <button
      type="button"
      className={styles.splitter}
      aria-label="Width of the names; left and right arrows change it"
      onKeyDown={(event) => {
        const width = widthOf(event.currentTarget);
        if (event.key === 'ArrowLeft') onChange(clamp(width - 20));
        else if (event.key === 'ArrowRight') onChange(clamp(width + 20));
        else return;
        event.preventDefault();
      }}
      onPointerDown={(event) => {
        event.currentTarget.setPointerCapture(event.pointerId);
        start.current = { x: event.clientX, width: widthOf(event.currentTarget) };
      }}
      onPointerMove={(event) => {
        if (start.current) onChange(clamp(start.current.width + event.clientX - start.current.x));
      }}
      onPointerUp={() => {
        start.current = null;
      }}
    />
  );
}
