import { ActionIcon } from '@mantine/core';
import type { NodeType, RedFigures, ServiceMapResponse } from '@signalbox/api-contract';
import {
  IconAlertTriangleFilled,
  IconBolt,
  IconDatabase,
  IconMaximize,
  IconMinus,
  IconPlus,
  IconServer,
  IconStack2,
  IconWorld,
} from '@tabler/icons-react';
import { useNavigate } from '@tanstack/react-router';
import { type PointerEvent as ReactPointerEvent, useEffect, useMemo, useRef, useState } from 'react';
import { formatDuration, formatRate, formatRatio } from '../data/format.ts';
import { layoutMap, type MapLayout, mapEdgeKey } from '../data/map-layout.ts';
import { peerFilter } from '../data/peer-filter.ts';
import { serviceColorCss } from '../data/service-color.ts';
import { EmptyState, ErrorState, NoDataYet, RowsSkeleton } from '../shell/page-states.tsx';
import { useApi } from '../shell/use-api.ts';
import styles from './service-map.module.css';

const nodeWidth = 184;
const nodeHeight = 52;

const icons: Record<NodeType, typeof IconServer> = {
  service: IconServer,
  database: IconDatabase,
  cache: IconBolt,
  messaging: IconStack2,
  external: IconWorld,
};
const typeWords: Record<NodeType, string> = {
  service: 'service',
  database: 'database',
  cache: 'cache',
  messaging: 'queue',
  external: 'external host',
};

export function ServiceMap({ find }: { find: string }) {
  const answer = useApi<ServiceMapResponse>('service-map');
  if (answer.isError && !answer.data)
    return <ErrorState error={answer.error} what="The map" onRetry={() => void answer.refetch()} />;
  if (!answer.data) return <RowsSkeleton />;
  if (answer.data.nodes.length === 0) return <NoDataYet what="services" />;
  return <MapView map={answer.data} find={find} />;
}

interface Camera {
  x: number;
  y: number;
  zoom: number;
}

function MapView({ map, find }: { map: ServiceMapResponse; find: string }) {
  const shape = JSON.stringify([
    map.nodes.map(({ id }) => id).sort(),
    map.edges.map(({ source, target }) => [source, target]).sort(),
  ]);
  // biome-ignore lint/correctness/useExhaustiveDependencies: figures change with each refresh, the drawing must not.
  const layout = useMemo(
    () =>
      layoutMap(
        map.nodes.map(({ id }) => id),
        map.edges,
      ),
    [shape],
  );
  const view = useRef<HTMLDivElement>(null);
  const [camera, setCamera] = useState<Camera | null>(null);
  const [hovered, setHovered] = useState<string | null>(null);
  const pan = useRef<{ x: number; y: number; camera: Camera; moved: boolean } | null>(null);
  const navigate = useNavigate();
  const wanted = find.trim().toLowerCase();

  const fit = () => setCamera(fitted(view.current, layout));
  useEffect(fit, [layout]);

  // React's wheel handler is passive: the page would scroll along.
  useEffect(() => {
    const element = view.current;
    if (!element) return;
    const onWheel = (event: WheelEvent) => {
      event.preventDefault();
      const box = element.getBoundingClientRect();
      setCamera((before) =>
        zoomed(before, event.clientX - box.left, event.clientY - box.top, Math.exp(-event.deltaY * 0.0014)),
      );
    };
    element.addEventListener('wheel', onWheel, { passive: false });
    return () => element.removeEventListener('wheel', onWheel);
  }, []);

  const zoomCentre = (factor: number) =>
    setCamera((before) =>
      zoomed(before, (view.current?.clientWidth ?? 0) / 2, (view.current?.clientHeight ?? 0) / 2, factor),
    );

  const near = useMemo(() => {
    if (!hovered) return null;
    const ids = new Set([hovered]);
    for (const { source, target } of map.edges) {
      if (source === hovered) ids.add(target);
      if (target === hovered) ids.add(source);
    }
    return ids;
  }, [hovered, map.edges]);
  const busiest = Math.max(...map.edges.map(({ red }) => red.rate), 1e-9);

  return (
    <div
      ref={view}
      className={styles.view}
      onPointerDown={(event: ReactPointerEvent) => {
        if (event.button === 0 && camera && !(event.target as Element).closest('button')) {
          pan.current = { x: event.clientX, y: event.clientY, camera, moved: false };
          view.current?.setPointerCapture(event.pointerId);
        }
      }}
      onPointerMove={(event) => {
        const start = pan.current;
        if (!start) return;
        setCamera({
          ...start.camera,
          x: start.camera.x + event.clientX - start.x,
          y: start.camera.y + event.clientY - start.y,
        });
      }}
      onPointerUp={() => {
        pan.current = null;
      }}
    >
      {camera ? (
        <div
          className={styles.canvas}
          style={{
            width: layout.width,
            height: layout.height,
            transform: `translate(${camera.x}px, ${camera.y}px) scale(${camera.zoom})`,
          }}
        >
          <svg width={layout.width} height={layout.height} className={styles.edges} aria-hidden="true">
            <defs>
              {(['arrow', 'arrow-error'] as const).map((id) => (
                <marker
                  key={id}
                  id={id}
                  viewBox="0 0 8 8"
                  refX="7"
                  refY="4"
                  markerWidth="7"
                  markerHeight="7"
                  orient="auto-start-reverse"
                  markerUnits="userSpaceOnUse"
                >
                  <path d="M0 0.8L7.4 4L0 7.2z" fill={id === 'arrow' ? 'var(--text-3)' : 'var(--error-fill)'} />
                </marker>
              ))}
            </defs>
            {map.edges.map(({ source, target, red }) => {
              const path = edgePath(layout, source, target);
              if (!path) return null;
              const failing = red.errorRatio >= 0.01;
              const faded = near !== null && source !== hovered && target !== hovered;
              return (
                <path
                  key={`${source}\n${target}`}
                  d={path.d}
                  fill="none"
                  stroke={failing ? 'var(--error-fill)' : 'var(--text-3)'}
                  strokeWidth={1 + 2.2 * Math.sqrt(red.rate / busiest)}
                  strokeDasharray={failing ? '7 3' : undefined}
                  opacity={faded ? 0.12 : 0.62}
                  markerEnd={failing ? 'url(#arrow-error)' : 'url(#arrow)'}
                />
              );
            })}
          </svg>
          {map.edges.map(({ source, target, red }) => {
            const path = edgePath(layout, source, target);
            if (!path) return null;
            const faded = near !== null && source !== hovered && target !== hovered;
            return <EdgeLabel key={`${source}\n${target}`} x={path.x} y={path.y} red={red} faded={faded} />;
          })}
          {map.nodes.map(({ id, name, type, red }) => {
            const place = layout.nodes.get(id);
            if (!place) return null;
            const Icon = icons[type];
            const failing = (red?.errorRatio ?? 0) >= 0.01;
            const faded = (near !== null && !near.has(id)) || (wanted !== '' && !name.toLowerCase().includes(wanted));
            return (
              <button
                key={id}
                type="button"
                className={styles.node}
                data-testid="map-node"
                data-type={type}
                data-failing={failing || undefined}
                data-faded={faded || undefined}
                style={{
                  left: place.x - nodeWidth / 2,
                  top: place.y - nodeHeight / 2,
                  width: nodeWidth,
                  height: nodeHeight,
                }}
                aria-label={`${name}, ${typeWords[type]}${red ? `, ${formatRate(red.rate)}, ${formatRatio(red.errorRatio)} errors, p95 ${formatDuration(red.durationMs?.p95)}` : ''}`}
                onMouseEnter={() => setHovered(id)}
                onMouseLeave={() => setHovered(null)}
                onFocus={() => setHovered(id)}
                onBlur={() => setHovered(null)}
                onClick={() => {
                  if (type === 'service') void navigate({ to: '/services/$service', params: { service: name } });
                  else void navigate({ to: '/traces', search: { filter: peerFilter(type, name) } });
                }}
              >
                <span
                  className={styles.icon}
                  style={{ color: type === 'service' ? serviceColorCss(name) : 'var(--text-3)' }}
                >
                  <Icon size={18} stroke={1.7} />
                </span>
                <span className={styles.text}>
                  <span className={`${styles.name} truncate`} title={name}>
                    {name}
                  </span>
                  <span className={styles.figures}>
                    {red ? (
                      <>
                        <span>{formatRate(red.rate)}</span>
                        {red.errorCount > 0 ? (
                          <span className={failing ? 'error-text' : undefined}>
                            {failing ? <IconAlertTriangleFilled size={9} aria-hidden="true" /> : null}{' '}
                            {formatRatio(red.errorRatio)}
                          </span>
                        ) : null}
                        <span>{formatDuration(red.durationMs?.p95)}</span>
                      </>
                    ) : (
                      typeWords[type]
                    )}
                  </span>
                </span>
              </button>
            );
          })}
        </div>
      ) : null}
      <div className={styles.controls}>
        <ActionIcon variant="default" size={28} onClick={() => zoomCentre(1.25)} aria-label="Zoom in">
          <IconPlus size={15} />
        </ActionIcon>
        <ActionIcon variant="default" size={28} onClick={() => zoomCentre(0.8)} aria-label="Zoom out">
          <IconMinus size={15} />
        </ActionIcon>
        <ActionIcon variant="default" size={28} onClick={fit} aria-label="Show all">
          <IconMaximize size={15} />
        </ActionIcon>
      </div>
      <div className={styles.key}>
        rate · errors · p95, as the caller saw them. Dashed red: one call in a hundred or more fails.
      </div>
      {map.edges.length === 0 && map.nodes.length > 1 ? (
        <div className={styles.none}>
          <EmptyState title="No calls between services in this time range" />
        </div>
      ) : null}
    </div>
  );
}

function EdgeLabel({ x, y, red, faded }: { x: number; y: number; red: RedFigures; faded: boolean }) {
  const failing = red.errorRatio >= 0.01;
  return (
    <div className={styles.label} data-faded={faded || undefined} style={{ left: x, top: y }}>
      {formatRate(red.rate)}
      {failing ? <span className="error-text">{formatRatio(red.errorRatio)}</span> : null}
      <span className="muted">{formatDuration(red.durationMs?.p95)}</span>
    </div>
  );
}

/** What is at x, y stays there. */
function zoomed(before: Camera | null, x: number, y: number, factor: number): Camera | null {
  if (!before) return before;
  const zoom = Math.max(0.2, Math.min(2.5, before.zoom * factor));
  const ratio = zoom / before.zoom;
  return { zoom, x: x - (x - before.x) * ratio, y: y - (y - before.y) * ratio };
}

function fitted(element: HTMLElement | null, { width, height }: MapLayout): Camera {
  const room = { width: element?.clientWidth ?? 1000, height: element?.clientHeight ?? 600 };
  const zoom = Math.max(0.25, Math.min(1.15, (room.width - 48) / width, (room.height - 72) / height));
  return { zoom, x: (room.width - width * zoom) / 2, y: (room.height - height * zoom) / 2 };
}

/** From the right side of the caller to the left side of the called; backwards around the outside. */
function edgePath(layout: MapLayout, source: string, target: string): { d: string; x: number; y: number } | null {
  const from = layout.nodes.get(source);
  const to = layout.nodes.get(target);
  if (!from || !to || from === to) return null;
  if (to.column > from.column) {
    const passages = layout.passages.get(mapEdgeKey({ source, target })) ?? [];
    // Straight past the nodes of the columns between, in curves from column to column.
    const stops = [
      { x: from.x + nodeWidth / 2, y: from.y },
      ...passages.flatMap(({ x, y }) => [
        { x: x - nodeWidth / 2, y },
        { x: x + nodeWidth / 2, y },
      ]),
      { x: to.x - nodeWidth / 2 - 2, y: to.y },
    ];
    let d = `M${from.x + nodeWidth / 2} ${from.y}`;
    for (let index = 0; index + 1 < stops.length; index++) {
      const start = stops[index];
      const end = stops[index + 1];
      if (!start || !end) break;
      const bend = Math.min(90, (end.x - start.x) / 2);
      d +=
        index % 2 === 1
          ? `L${end.x} ${end.y}`
          : `C${start.x + bend} ${start.y} ${end.x - bend} ${end.y} ${end.x} ${end.y}`;
    }
    const passed = passages[0];
    if (passed) return { d, x: passed.x, y: passed.y };
    // Past the middle, where lines to different nodes have parted.
    const t = 0.52;
    const x1 = from.x + nodeWidth / 2;
    const x2 = to.x - nodeWidth / 2 - 2;
    const bend = Math.min(90, (x2 - x1) / 2);
    const point = (p0: number, p1: number, p2: number, p3: number) =>
      (1 - t) ** 3 * p0 + 3 * (1 - t) ** 2 * t * p1 + 3 * (1 - t) * t ** 2 * p2 + t ** 3 * p3;
    return { d, x: point(x1, x1 + bend, x2 - bend, x2), y: point(from.y, from.y, to.y, to.y) };
  }
  const below = Math.max(from.y, to.y) + nodeHeight;
  return {
    d: `M${from.x} ${from.y + nodeHeight / 2}C${from.x} ${below + 20} ${to.x} ${below + 20} ${to.x} ${to.y + nodeHeight / 2 + 2}`,
    x: (from.x + to.x) / 2,
    y: below + 4,
  };
}
