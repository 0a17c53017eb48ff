import { encodeTraces } from '@signalbox/otlp';
import { selectSpans } from '@signalbox/records';
import type { SettingsMap } from '../../config/settings-map.ts';
import { checked } from '../ottl/checked.ts';
import { anyCondition } from '../ottl/conditions.ts';
import { SPAN_DIALECT, SPAN_EVENT_DIALECT } from '../ottl/dialects.ts';
import { ERROR_MODES } from '../ottl/error-mode.ts';
import { Regex, RegexError } from '../regex.ts';
import { booleanAttribute, numericAttribute, stringAttribute } from './attribute-policies.ts';
import { and, drop, not } from './combining-policies.ts';
import type { HeldTrace } from './held-trace.ts';
import { composite, limited } from './limiting-policies.ts';
import type { Policy } from './policy.ts';
import {
  alwaysSample,
  latency,
  ottlCondition,
  probabilistic,
  spanCount,
  statusCode,
  traceFlags,
  traceState,
} from './trace-policies.ts';

/** A policy by its name in the file. `make` gives a fresh one: some remember what they let pass. */
export interface NamedPolicy {
  readonly name: string;
  readonly make: (warn: (message: string) => void) => Policy;
}

type MakePolicy = NamedPolicy['make'];
type ReadPolicy = (settings: SettingsMap) => MakePolicy;

const STATUS_CODES = ['UNSET', 'OK', 'ERROR'];
/** Policies within policies within policies … */
const MAX_DEPTH = 10;

const SIMPLE_POLICIES: Readonly<Record<string, ReadPolicy>> = {
  always_sample: () => () => alwaysSample,
  trace_flags: () => () => traceFlags,
  latency(settings) {
    const threshold = settings.number('threshold_ms');
    const upper = settings.number('upper_threshold_ms', 0);
    return () => latency(threshold, upper === 0 ? null : upper);
  },
  numeric_attribute(settings) {
    const min = settings.number('min_value', null);
    const max = settings.number('max_value', null);
    if (min === null && max === null) {
      throw settings.failHere('needs min_value or max_value');
    }
    const shared = attributeSettings(settings);
    return () => numericAttribute({ ...shared, min, max });
  },
  string_attribute(settings) {
    const values = settings.strings('values');
    const isPattern = settings.boolean('enabled_regex_matching', false);
    // Matches of patterns are remembered in any case.
    settings.integer('cache_max_size', 0);
    const patterns = isPattern ? values.map((value) => regex(settings, value)) : null;
    const shared = attributeSettings(settings);
    return () => stringAttribute({ ...shared, values, patterns });
  },
  boolean_attribute(settings) {
    const value = settings.boolean('value', true);
    const shared = attributeSettings(settings);
    return () => booleanAttribute({ ...shared, value });
  },
  status_code(settings) {
    const codes = settings.texts('status_codes').map((text) => {
      const code = STATUS_CODES.indexOf(text.text.toUpperCase());
      if (code < 0) {
        throw text.fail(`"${text.text}" is not one of ${STATUS_CODES.join(', ')}`);
      }
      return code;
    });
    if (codes.length === 0) {
      throw settings.failHere('needs status_codes');
    }
    return () => statusCode(codes);
  },
  probabilistic(settings) {
    const percentage = settings.number('sampling_percentage');
    if (percentage < 0) {
      throw settings.fail('sampling_percentage', 'must be 0 or more');
    }
    const salt = settings.string('hash_salt', '');
    return () => probabilistic(percentage, salt);
  },
  trace_state(settings) {
    const key = settings.string('key');
    const values = settings.strings('values');
    return () => traceState(key, values);
  },
  rate_limiting(settings) {
    const perSecond = positive(settings, 'spans_per_second');
    const capacity = settings.number('burst_capacity', perSecond * 2);
    return () => limited(perSecond, capacity, (trace) => trace.spanCount);
  },
  bytes_limiting(settings) {
    const perSecond = positive(settings, 'bytes_per_second');
    const capacity = settings.number('burst_capacity', perSecond * 2);
    return () => limited(perSecond, capacity, encodedSize);
  },
  span_count(settings) {
    const min = settings.integer('min_spans', 0, { min: 0 });
    const max = settings.integer('max_spans', 0, { min: 0 });
    return () => spanCount(min, max === 0 ? null : max);
  },
  ottl_condition(settings) {
    const errorMode = settings.choice('error_mode', ERROR_MODES, 'propagate');
    const span = settings.texts('span');
    const event = settings.texts('spanevent');
    if (span.length + event.length === 0) {
      throw settings.failHere('needs conditions under span or spanevent');
    }
    // A decision belongs to no sender who could be told, so `propagate` counts as `ignore`.
    const mode = errorMode === 'silent' ? 'silent' : 'ignore';
    const make: MakePolicy = (warn) => {
      const conditions = <Cursor>(dialect: Parameters<typeof anyCondition<Cursor>>[0], texts: typeof span) =>
        texts.length === 0
          ? null
          : checked(texts, () =>
              anyCondition(
                dialect,
                texts.map(({ text }) => text),
                mode,
                warn,
              ),
            );
      return ottlCondition(conditions(SPAN_DIALECT, span), conditions(SPAN_EVENT_DIALECT, event));
    };
    make(() => {});
    return make;
  },
};

const COMBINING_POLICIES: Readonly<Record<string, (settings: SettingsMap, depth: number) => MakePolicy>> = {
  and(settings, depth) {
    const parts = readPolicies(settings, 'and_sub_policy', depth);
    return (warn) => and(parts.map(({ make }) => make(warn)));
  },
  drop(settings, depth) {
    const parts = readPolicies(settings, 'drop_sub_policy', depth);
    return (warn) => drop(parts.map(({ make }) => make(warn)));
  },
  not(settings, depth) {
    const part = readPolicy(settings.table('not_sub_policy'), depth);
    return (warn) => not(part.make(warn));
  },
  composite: readComposite,
};

/** Reads a list of policies; it must have some, each with a name of its own. */
export function readPolicies(settings: SettingsMap, key: string, depth = 0): NamedPolicy[] {
  if (depth > MAX_DEPTH) {
    throw settings.fail(key, `policies are nested more than ${MAX_DEPTH} deep`);
  }
  const tables = settings.tables(key);
  if (tables.length === 0) {
    throw settings.fail(key, 'needs at least one policy');
  }
  const policies = tables.map((table) => readPolicy(table, depth));
  const names = policies.map(({ name }) => name);
  const twice = names.findIndex((name, i) => names.indexOf(name) !== i);
  if (twice >= 0) {
    throw (tables[twice] as SettingsMap).fail('name', `another policy is named "${names[twice]}"`);
  }
  return policies;
}

function readPolicy(settings: SettingsMap, depth: number): NamedPolicy {
  const name = settings.string('name');
  const types = [...Object.keys(SIMPLE_POLICIES), ...Object.keys(COMBINING_POLICIES)];
  const type = settings.choice('type', types);
  const own = settings.table(type);
  const read = COMBINING_POLICIES[type];
  const make = read === undefined ? (SIMPLE_POLICIES[type] as ReadPolicy)(own) : read(own, depth + 1);
  return { name, make };
}

function readComposite(settings: SettingsMap, depth: number): MakePolicy {
  const max = positive(settings, 'max_total_spans_per_second');
  const policies = new Map(
    readPolicies(settings, 'composite_sub_policy', depth).map((policy) => [policy.name, policy]),
  );
  const named = settings.texts('policy_order');
  const order = named.map((text) => {
    const policy = policies.get(text.text);
    if (policy === undefined) {
      throw text.fail(`there is no policy "${text.text}" in composite_sub_policy`);
    }
    return policy;
  });
  const shares = new Map(
    settings.tables('rate_allocation').map((table) => {
      const name = table.choice('policy', [...policies.keys()]);
      return [name, (positive(table, 'percent') / 100) * max] as const;
    }),
  );
  const parts = order.length === 0 ? [...policies.values()] : order;
  return (warn) =>
    composite(
      max,
      parts.map(({ name, make }) => ({
        policy: make(warn),
        spansPerSecond: shares.get(name) ?? max / policies.size,
      })),
    );
}

function attributeSettings(settings: SettingsMap) {
  return { key: settings.string('key'), invertMatch: settings.boolean('invert_match', false) };
}

function positive(settings: SettingsMap, key: string): number {
  const value = settings.number(key);
  if (value <= 0) {
    throw settings.fail(key, 'must be more than 0');
  }
  return value;
}

function regex(settings: SettingsMap, pattern: string): Regex {
  try {
    return new Regex(pattern);
  } catch (error) {
    throw error instanceof RegexError ? settings.fail('values', error.message) : error;
  }
}

/** Bytes of the trace as OTLP. */
function encodedSize({ parts }: HeldTrace): number {
  return parts.reduce(
    (sum, { batch, rows }) => sum + encodeTraces(selectSpans(batch.spans, Uint32Array.from(rows))).length,
    0,
  );
}
