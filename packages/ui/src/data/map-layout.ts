export interface MapEdge {
  readonly source: string;
  readonly target: string;
}

interface PlacedNode {
  readonly id: string;
  /** Callers in column 0, whom they call to the right. */
  readonly column: number;
  /** Centre, in pixels. */
  readonly x: number;
  readonly y: number;
}

interface Point {
  readonly x: number;
  readonly y: number;
}

export interface MapLayout {
  readonly nodes: ReadonlyMap<string, PlacedNode>;
  /** By `mapEdgeKey`: where an edge that skips columns passes through each of them, between the nodes. */
  readonly passages: ReadonlyMap<string, readonly Point[]>;
  readonly width: number;
  readonly height: number;
}

const columnWidth = 330;
const rowHeight = 84;
/** Room for an edge that passes between nodes. */
const passageHeight = 34;

export function mapEdgeKey({ source, target }: MapEdge): string {
  return `${source}\n${target}`;
}

/**
 * A layered drawing: each node one column right of its furthest caller (edges that close a circle do not count), within a column ordered
 * by the mean of its neighbours so that few edges cross. Edges that skip columns have a place in each of them, and nodes without any edge
 * stand in rows below. The same graph gives the same drawing, whatever order it comes in.
 */
export function layoutMap(ids: readonly string[], edges: readonly MapEdge[]): MapLayout {
  const sorted = [...new Set(ids)].sort();
  const known = new Set(sorted);
  const unique = new Map<string, MapEdge>();
  for (const edge of edges) {
    if (edge.source !== edge.target && known.has(edge.source) && known.has(edge.target))
      unique.set(`${edge.source}\n${edge.target}`, edge);
  }
  const all = [...unique.values()].sort((a, b) => (a.source + a.target < b.source + b.target ? -1 : 1));
  const forward = withoutCircles(sorted, all);
  const column = longestPaths(sorted, forward);

  const columns: string[][] = [];
  const put = (id: string, at: number) => {
    columns[at] ??= [];
    columns[at].push(id);
  };
  const connected = new Set(all.flatMap(({ source, target }) => [source, target]));
  for (const id of sorted) if (connected.has(id)) put(id, column.get(id) ?? 0);
  const { steps, passagesOf } = withPassages(all, column, put);
  for (let index = 0; index < columns.length; index++) columns[index] ??= [];
  orderColumns(columns, steps);

  const heightOf = (id: string) => (known.has(id) ? rowHeight : passageHeight);
  const heights = columns.map((list) => list.reduce((sum, id) => sum + heightOf(id), 0));
  const tallest = Math.max(0, ...heights);
  const nodes = new Map<string, PlacedNode>();
  columns.forEach((list, at) => {
    let top = (tallest - (heights[at] ?? 0)) / 2;
    for (const id of list) {
      const height = heightOf(id);
      nodes.set(id, { id, column: at, x: at * columnWidth + columnWidth / 2, y: top + height / 2 });
      top += height;
    }
  });
  const passages = new Map<string, Point[]>();
  for (const [edge, ids] of passagesOf) {
    passages.set(
      edge,
      ids.flatMap((id) => nodes.get(id) ?? []),
    );
    for (const id of ids) nodes.delete(id);
  }

  const alone = sorted.filter((id) => !connected.has(id));
  const across = Math.max(columns.length, Math.ceil(Math.sqrt(alone.length / 2)));
  alone.forEach((id, index) => {
    const at = index % across;
    nodes.set(id, {
      id,
      column: at,
      x: at * columnWidth + columnWidth / 2,
      y: tallest + Math.floor(index / across) * rowHeight + rowHeight / 2,
    });
  });
  const rows = Math.ceil(alone.length / Math.max(1, across));
  return {
    nodes,
    passages,
    width: Math.max(1, columns.length, Math.min(across, alone.length)) * columnWidth,
    height: Math.max(rowHeight, tallest + rows * rowHeight),
  };
}

/** Each edge in steps from column to column, with made-up nodes where it passes one. Edges that lead back are left as they are. */
function withPassages(
  edges: readonly MapEdge[],
  column: ReadonlyMap<string, number>,
  put: (id: string, column: number) => void,
): { steps: MapEdge[]; passagesOf: Map<string, string[]> } {
  const steps: MapEdge[] = [];
  const passagesOf = new Map<string, string[]>();
  for (const edge of edges) {
    const from = column.get(edge.source) ?? 0;
    const to = column.get(edge.target) ?? 0;
    const ids: string[] = [];
    let before = edge.source;
    for (let at = from + 1; at < to; at++) {
      const id = `${mapEdgeKey(edge)}\n${at}`;
      put(id, at);
      ids.push(id);
      steps.push({ source: before, target: id });
      before = id;
    }
    steps.push({ source: before, target: edge.target });
    if (ids.length > 0) passagesOf.set(mapEdgeKey(edge), ids);
  }
  return { steps, passagesOf };
}

/** The edges without those that lead back to a node on the way to them. Starts at nodes that nobody calls, so that circles open behind them. */
function withoutCircles(ids: readonly string[], edges: readonly MapEdge[]): MapEdge[] {
  const outgoing = bySource(edges);
  const called = new Set(edges.map(({ target }) => target));
  const state = new Map<string, 'open' | 'done'>();
  const kept: MapEdge[] = [];
  const order = [...ids.filter((id) => !called.has(id)), ...ids.filter((id) => called.has(id))];
  for (const root of order) {
    if (state.has(root)) continue;
    state.set(root, 'open');
    const stack = [{ id: root, next: 0 }];
    while (stack.length) {
      const top = stack[stack.length - 1];
      if (!top) break;
      const edge = outgoing.get(top.id)?.[top.next++];
      if (!edge) {
        state.set(top.id, 'done');
        stack.pop();
        continue;
      }
      const seen = state.get(edge.target);
      if (seen === 'open') continue;
      kept.push(edge);
      if (seen === 'done') continue;
      state.set(edge.target, 'open');
      stack.push({ id: edge.target, next: 0 });
    }
  }
  return kept;
}

function longestPaths(ids: readonly string[], edges: readonly MapEdge[]): Map<string, number> {
  const incoming = new Map(ids.map((id) => [id, 0]));
  for (const { target } of edges) incoming.set(target, (incoming.get(target) ?? 0) + 1);
  const outgoing = bySource(edges);
  const column = new Map(ids.map((id) => [id, 0]));
  const ready = ids.filter((id) => incoming.get(id) === 0);
  for (let index = 0; index < ready.length; index++) {
    const id = ready[index];
    if (id === undefined) break;
    for (const { target } of outgoing.get(id) ?? []) {
      column.set(target, Math.max(column.get(target) ?? 0, (column.get(id) ?? 0) + 1));
      const left = (incoming.get(target) ?? 1) - 1;
      incoming.set(target, left);
      if (left === 0) ready.push(target);
    }
  }
  return column;
}

function orderColumns(columns: string[][], edges: readonly MapEdge[]): void {
  const neighbours = new Map<string, string[]>();
  for (const { source, target } of edges) {
    neighbours.set(source, [...(neighbours.get(source) ?? []), target]);
    neighbours.set(target, [...(neighbours.get(target) ?? []), source]);
  }
  const place = new Map<string, number>();
  const remember = (list: string[]) => list.forEach((id, index) => void place.set(id, index - (list.length - 1) / 2));
  columns.forEach(remember);
  for (let sweep = 0; sweep < 8; sweep++) {
    const order = sweep % 2 === 0 ? columns : [...columns].reverse();
    for (const list of order) {
      const weight = new Map(
        list.map((id) => {
          const around = neighbours.get(id) ?? [];
          return [
            id,
            around.length
              ? around.reduce((sum, other) => sum + (place.get(other) ?? 0), 0) / around.length
              : (place.get(id) ?? 0),
          ];
        }),
      );
      list.sort((a, b) => (weight.get(a) ?? 0) - (weight.get(b) ?? 0) || (a < b ? -1 : 1));
      remember(list);
    }
  }
}

function bySource(edges: readonly MapEdge[]): ReadonlyMap<string, readonly MapEdge[]> {
  const result = new Map<string, MapEdge[]>();
  for (const edge of edges) {
    const list = result.get(edge.source);
    if (list) list.push(edge);
    else result.set(edge.source, [edge]);
  }
  return result;
}
