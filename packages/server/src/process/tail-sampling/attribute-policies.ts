import { AttributeKey, type AttributeValue } from '@signalbox/records';
import type { SpanCursor } from '../ottl/span-cursor.ts';
import type { Regex } from '../regex.ts';
import { type Policy, samplesWhere } from './policy.ts';

/** A policy on the value of an attribute of a span or of its resource. */
export interface AttributePolicySettings {
  readonly key: string;
  /** Samples where no span and no resource matches; such a decision outweighs others. */
  readonly invertMatch: boolean;
}

export function stringAttribute(
  settings: AttributePolicySettings & {
    readonly values: readonly string[];
    readonly patterns: readonly Regex[] | null;
  },
): Policy {
  const values = new Set(settings.values.filter((value) => value !== ''));
  const { patterns } = settings;
  const matches = patterns === null ? (text: string) => values.has(text) : remembered(patterns);
  return attributePolicy(settings, (value) => typeof value === 'string' && value !== '' && matches(value));
}

export function numericAttribute(
  settings: AttributePolicySettings & { readonly min: number | null; readonly max: number | null },
): Policy {
  const { min, max } = settings;
  return attributePolicy(settings, (value) => {
    if (typeof value !== 'bigint' && typeof value !== 'number') {
      return false;
    }
    return (min === null || value >= min) && (max === null || value <= max);
  });
}

export function booleanAttribute(settings: AttributePolicySettings & { readonly value: boolean }): Policy {
  return attributePolicy(settings, (value) => value === settings.value);
}

function attributePolicy(
  { key, invertMatch }: AttributePolicySettings,
  matches: (value: AttributeValue) => boolean,
): Policy {
  const wanted = new AttributeKey(key);
  const test = ({ attributes, row, resourceAttributes, resource }: SpanCursor) => {
    const ofSpan = attributes.find(row, wanted);
    if (ofSpan >= 0 && matches(attributes.value(ofSpan))) {
      return true;
    }
    const ofResource = resourceAttributes.find(resource, wanted);
    return ofResource >= 0 && matches(resourceAttributes.value(ofResource));
  };
  return invertMatch
    ? (trace) => (trace.some(test) ? 'inverted_not_sampled' : 'inverted_sampled')
    : samplesWhere((trace) => trace.some(test));
}

/** Whether one of the patterns matches; texts that were seen lately are not matched again. */
function remembered(patterns: readonly Regex[]): (text: string) => boolean {
  const known = new Map<string, boolean>();
  return (text) => {
    let matches = known.get(text);
    if (matches === undefined) {
      matches = patterns.some((pattern) => pattern.test(text));
      if (known.size === 1_000) {
        known.clear();
      }
      known.set(text, matches);
    }
    return matches;
  };
}
