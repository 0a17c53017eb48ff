import type { RecordLimits, SpanLimits } from '../options.ts';
import type { Section } from './section.ts';

/** `attribute_limits`, or the limits of one signal. */
export function readRecordLimits(section: Section | undefined): RecordLimits {
  const attributeCount = section?.integer('attribute_count_limit', 0);
  const attributeValueLength = section?.integer('attribute_value_length_limit', 0);
  const depth = section?.integer('attribute_value_depth_limit', 1);
  if (depth !== undefined && depth < 64)
    section?.unsupported('attribute_value_depth_limit', 'values are cut where they are nested more than 8 deep');
  return {
    ...(attributeCount !== undefined && { attributeCount }),
    ...(attributeValueLength !== undefined && { attributeValueLength }),
  };
}

export function readSpanLimits(section: Section | undefined): SpanLimits {
  const eventCount = section?.integer('event_count_limit', 0);
  const linkCount = section?.integer('link_count_limit', 0);
  const eventAttributeCount = section?.integer('event_attribute_count_limit', 0);
  const linkAttributeCount = section?.integer('link_attribute_count_limit', 0);
  return {
    ...readRecordLimits(section),
    ...(eventCount !== undefined && { eventCount }),
    ...(linkCount !== undefined && { linkCount }),
    ...(eventAttributeCount !== undefined && { eventAttributeCount }),
    ...(linkAttributeCount !== undefined && { linkAttributeCount }),
  };
}
