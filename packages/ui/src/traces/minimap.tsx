import { useComputedColorScheme } from '@mantine/core';
import { useElementSize } from '@mantine/hooks';
import { type PointerEvent as ReactPointerEvent, useEffect, useRef, useState } from 'react';
import { serviceColor } from '../data/service-color.ts';
import type { Waterfall } from '../data/waterfall.ts';
import styles from './minimap.module.css';
import type { View } from './waterfall.tsx';

const height = 44;

/** The whole trace at a glance, errors on top; the part shown below is framed. Dragging chooses another. */
export function Minimap({
  layout,
  view,
  onZoom,
}: {
  layout: Waterfall;
  view: View;
  onZoom: (start: number, end: number) => void;
}) {
  const { ref, width } = useElementSize<HTMLDivElement>();
  const canvas = useRef<HTMLCanvasElement>(null);
  const dark = useComputedColorScheme('light', { getInitialValueInEffect: false }) === 'dark';
  const [drag, setDrag] = useState<{ from: number; to: number } | null>(null);
  const duration = Math.max(layout.duration, 1);

  useEffect(() => {
    const context = canvas.current?.getContext('2d');
    if (!context || !canvas.current || width <= 0) return;
    const ratio = devicePixelRatio || 1;
    canvas.current.width = Math.round(width * ratio);
    canvas.current.height = Math.round(height * ratio);
    context.scale(ratio, ratio);
    context.clearRect(0, 0, width, height);
    const { nodes } = layout;
    const lineHeight = Math.max(1, Math.min(4, (height - 6) / nodes.length));
    const y = (index: number) => 3 + (index / Math.max(nodes.length, 1)) * (height - 6);
    const draw = (error: boolean) => {
      nodes.forEach((node, index) => {
        const failed = node.span.status.code === 'ERROR';
        if (failed !== error) return;
        context.fillStyle = failed ? (dark ? '#ff7b78' : '#d93a3a') : serviceColor(node.span.service, dark);
        context.fillRect(
          (node.start / duration) * width,
          y(index),
          Math.max(1, ((node.end - node.start) / duration) * width),
          lineHeight,
        );
      });
    };
    draw(false);
    draw(true);
  }, [layout, width, dark, duration]);

  const at = (event: ReactPointerEvent<HTMLDivElement>) => {
    const box = event.currentTarget.getBoundingClientRect();
    return Math.max(0, Math.min(1, (event.clientX - box.left) / box.width));
  };
  const shown = drag
    ? { from: Math.min(drag.from, drag.to), to: Math.max(drag.from, drag.to) }
    : { from: view.start / duration, to: Math.min(1, view.end / duration) };
  return (
    <div
      ref={ref}
      className={styles.minimap}
      title="Drag to zoom, double-click for all"
      role="img"
      aria-label="The whole trace; the keys z and Escape zoom"
      onDoubleClick={() => onZoom(0, duration)}
      onPointerDown={(event) => {
        event.currentTarget.setPointerCapture(event.pointerId);
        setDrag({ from: at(event), to: at(event) });
      }}
      onPointerMove={(event) => {
        const to = at(event);
        setDrag((before) => (before ? { from: before.from, to } : null));
      }}
      onPointerUp={() => {
        if (drag && Math.abs(drag.to - drag.from) > 0.005) onZoom(shown.from * duration, shown.to * duration);
        setDrag(null);
      }}
    >
      <canvas ref={canvas} style={{ width, height, display: 'block' }} />
      <span className={styles.shade} style={{ left: 0, width: `${shown.from * 100}%` }} />
      <span className={styles.shade} style={{ right: 0, width: `${(1 - shown.to) * 100}%` }} />
    </div>
  );
}
