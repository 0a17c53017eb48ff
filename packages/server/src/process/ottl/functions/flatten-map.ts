import type { AttributeValue } from '@signalbox/records';
import { isList, isMap, type MapValue } from '../value.ts';

/** Moves entries of nested maps and lists to the root, under names joined with dots, `depth` levels of them. */
export function flattenMap(map: MapValue, prefix: string, depth: number): MapValue {
  const flat = new Map<string, AttributeValue>();
  const add = (value: MapValue | readonly AttributeValue[], path: string, level: number): void => {
    const entries = isMap(value) ? value.entries : value.map((element, i) => [String(i), element] as const);
    for (const [name, entry] of entries) {
      const key = path === '' ? name : `${path}.${name}`;
      if ((isMap(entry) || isList(entry)) && level < depth) {
        add(entry, key, level + 1);
      } else {
        flat.set(key, entry);
      }
    }
  };
  add(map, prefix, 0);
  return { entries: [...flat] };
}
