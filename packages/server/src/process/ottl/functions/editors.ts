import type { AttributeValue } from '@signalbox/records';
import { OttlValueError } from '../ottl-error.ts';
import { textOfValue } from '../text-of-value.ts';
import { describe, isList, isMap, storable } from '../value.ts';
import { editMap, KeyCache } from './editable-map.ts';
import { flattenMap } from './flatten-map.ts';
import type { CommonFunction } from './function.ts';
import { truncateText } from './truncate-text.ts';

const set: CommonFunction = {
  parameters: ['target', 'value'],
  compile: (args) => {
    const target = args.target('target');
    const value = args.value('value');
    return (cursor) => {
      const wanted = value(cursor);
      // Documented: nil changes nothing.
      if (wanted !== null) {
        target.set(cursor, wanted);
      }
      return undefined;
    };
  },
};

const deleteKey: CommonFunction = {
  parameters: ['target', 'key'],
  compile: (args) => {
    const target = args.target('target');
    const key = args.string('key');
    const keys = new KeyCache();
    return (cursor) => {
      const name = keys.key(key(cursor));
      editMap(target, cursor, (map) => map.delete(name));
      return undefined;
    };
  },
};

/** Keeps the keys that match, or those that do not. */
function matchingKeys(keepMatching: boolean): CommonFunction {
  return {
    parameters: ['target', 'pattern'],
    compile: (args) => {
      const target = args.target('target');
      const pattern = args.regex('pattern');
      const keys = new KeyCache();
      return (cursor) => {
        const regex = pattern(cursor);
        editMap(target, cursor, (map) => {
          for (const key of map.keys()) {
            if (regex.test(key) !== keepMatching) {
              map.delete(keys.key(key));
            }
          }
        });
        return undefined;
      };
    },
  };
}

const keepKeys: CommonFunction = {
  parameters: ['target', 'keys'],
  compile: (args) => {
    const target = args.target('target');
    const wanted = args.values('keys');
    const keys = new KeyCache();
    return (cursor) => {
      const kept = new Set(wanted.map((get) => get(cursor)));
      editMap(target, cursor, (map) => {
        for (const key of map.keys()) {
          if (!kept.has(key)) {
            map.delete(keys.key(key));
          }
        }
      });
      return undefined;
    };
  },
};

const limit: CommonFunction = {
  parameters: ['target', 'limit', 'priority_keys'],
  compile: (args) => {
    const target = args.target('target');
    const most = args.literalCount('limit');
    const priority = new Set(args.literals('priority_keys'));
    if (priority.size > most) {
      throw args.error('priority_keys', `no more than ${most} keys, which is the limit`);
    }
    const keys = new KeyCache();
    return (cursor) => {
      editMap(target, cursor, (map) => {
        const present = map.keys();
        let room = most - present.filter((key) => priority.has(key)).length;
        for (const key of present) {
          if (!priority.has(key) && --room < 0) {
            map.delete(keys.key(key));
          }
        }
      });
      return undefined;
    };
  },
};

const truncateAll: CommonFunction = {
  parameters: ['target', 'limit', 'utf8_safe?', 'truncation_marker?'],
  compile: (args) => {
    const target = args.target('target');
    const most = args.literalCount('limit');
    const marker = args.has('truncation_marker') ? args.literal('truncation_marker') : '';
    if (!args.flag('utf8_safe', true)) {
      throw args.error('utf8_safe', 'true: texts are never cut within a character here');
    }
    if (Buffer.byteLength(marker) > most) {
      throw args.error('truncation_marker', `no more than the limit of ${most} bytes`);
    }
    const keys = new KeyCache();
    return (cursor) => {
      editMap(target, cursor, (map) => {
        for (const [key, value] of map.entries()) {
          if (typeof value === 'string') {
            const cut = truncateText(value, most, marker);
            if (cut !== value) {
              map.set(keys.key(key), cut);
            }
          }
        }
      });
      return undefined;
    };
  },
};

const STRATEGIES = ['insert', 'update', 'upsert'];

const mergeMaps: CommonFunction = {
  parameters: ['target', 'source', 'strategy?'],
  compile: (args) => {
    const target = args.target('target');
    const source = args.value('source');
    const strategy = args.has('strategy') ? args.literal('strategy') : 'upsert';
    if (!STRATEGIES.includes(strategy)) {
      throw args.error('strategy', `one of ${STRATEGIES.join(', ')}`);
    }
    const keys = new KeyCache();
    return (cursor) => {
      const merged = source(cursor);
      if (!isMap(merged)) {
        throw new OttlValueError(`merge_maps: source is ${describe(merged)}, not a map`);
      }
      if (target.get(cursor) === null) {
        target.set(cursor, { entries: [] });
      }
      editMap(target, cursor, (map) => {
        for (const [name, value] of merged.entries) {
          const key = keys.key(name);
          const exists = map.get(key) !== undefined;
          if (strategy === 'upsert' || exists === (strategy === 'update')) {
            map.set(key, value);
          }
        }
      });
      return undefined;
    };
  },
};

const flatten: CommonFunction = {
  parameters: ['target', 'prefix?', 'depth?'],
  compile: (args) => {
    const target = args.target('target');
    const prefix = args.has('prefix') ? args.literal('prefix') : '';
    const depth = args.has('depth') ? args.literalCount('depth') : Number.POSITIVE_INFINITY;
    return (cursor) => {
      const value = target.get(cursor);
      if (value !== null) {
        if (!isMap(value)) {
          throw new OttlValueError(`flatten: target is ${describe(value)}, not a map`);
        }
        target.set(cursor, flattenMap(value, prefix, depth));
      }
      return undefined;
    };
  },
};

const stringifyAll: CommonFunction = {
  parameters: ['target'],
  compile: (args) => {
    const target = args.target('target');
    const keys = new KeyCache();
    return (cursor) => {
      editMap(target, cursor, (map) => {
        for (const [key, value] of map.entries()) {
          if (typeof value !== 'string') {
            map.set(keys.key(key), textOfValue(value) ?? '');
          }
        }
      });
      return undefined;
    };
  },
};

const append: CommonFunction = {
  parameters: ['target', 'value?', 'values?'],
  compile: (args) => {
    const target = args.target('target');
    if (!args.has('value') && !args.has('values')) {
      throw args.error('target', 'also a value or values to append');
    }
    const added = [
      ...(args.has('value') ? [args.value('value')] : []),
      ...(args.has('values') ? args.values('values') : []),
    ];
    return (cursor) => {
      const current = storable(target.get(cursor));
      const elements: AttributeValue[] = current === null ? [] : isList(current) ? [...current] : [current];
      for (const get of added) {
        const value = storable(get(cursor));
        elements.push(...(isList(value) ? value : [value]));
      }
      target.set(cursor, elements);
      return undefined;
    };
  },
};

const deleteIndex: CommonFunction = {
  parameters: ['target', 'start_index', 'end_index?'],
  compile: (args) => {
    const target = args.target('target');
    const start = args.int('start_index');
    const end = args.has('end_index') ? args.int('end_index') : null;
    return (cursor) => {
      const list = target.get(cursor);
      if (!isList(list)) {
        throw new OttlValueError(`delete_index: target is ${describe(list)}, not a list`);
      }
      const from = start(cursor);
      const to = end === null ? from + 1n : end(cursor);
      if (from < 0n || to < from || to > BigInt(list.length)) {
        throw new OttlValueError(`delete_index: ${from} to ${to} is not within a list of ${list.length}`);
      }
      target.set(cursor, [...list.slice(0, Number(from)), ...list.slice(Number(to))]);
      return undefined;
    };
  },
};

/** Editors of all contexts. */
export const EDITORS: readonly (readonly [string, CommonFunction])[] = [
  ['set', set],
  ['delete_key', deleteKey],
  ['delete_matching_keys', matchingKeys(false)],
  ['keep_matching_keys', matchingKeys(true)],
  ['keep_keys', keepKeys],
  ['limit', limit],
  ['truncate_all', truncateAll],
  ['merge_maps', mergeMaps],
  ['flatten', flatten],
  ['stringify_all', stringifyAll],
  ['append', append],
  ['delete_index', deleteIndex],
];
