import type { Attributes, AttributeValue } from '@opentelemetry/api';
import { parsePairs } from '../environment.ts';
import type { ResourceDetectionOptions, ResourceDetector, StartOptions } from '../options.ts';
import type { ConfigValue, Scalar, Section } from './section.ts';
import { includeExclude } from './wildcard.ts';

const types = ['string', 'bool', 'int', 'double', 'string_array', 'bool_array', 'int_array', 'double_array'] as const;
type AttributeType = (typeof types)[number];

const detectors: readonly ResourceDetector[] = ['container', 'host', 'process', 'service'];

/** `resource` of the schema: nothing is detected unless it is asked for. */
export function readResource(
  resource: Section | undefined,
  variables: Readonly<Record<string, string | undefined>>,
): Pick<StartOptions, 'resourceAttributes' | 'resourceDetection'> {
  if (resource === undefined) return { resourceDetection: { detectors: [] } };
  const { pairs, malformed } = parsePairs(resource.text('attributes_list') ?? '');
  if (malformed > 0)
    resource.error(`${resource.path}.attributes_list holds an entry that is not key=value`, 'attributes_list');
  const attributes: Attributes = pairs;
  for (const entry of resource.sections('attributes') ?? []) {
    entry.require('name');
    entry.require('value');
    const name = entry.string('name');
    const value = readValue(entry, entry.choice('type', types) ?? 'string');
    if (name !== undefined && value !== undefined) attributes[name] = value;
  }
  resource.unsupported('schema_url');
  const detection = resource.section('detection/development');
  const resourceDetection = detection ? readDetection(detection) : { detectors: [] };
  if (resourceDetection.detectors?.includes('service') === true && variables.OTEL_SERVICE_NAME)
    attributes['service.name'] ??= variables.OTEL_SERVICE_NAME;
  return { resourceAttributes: attributes, resourceDetection };
}

function readDetection(detection: Section): ResourceDetectionOptions {
  const found = (detection.sections('detectors') ?? []).flatMap((entry) => {
    const chosen = entry.single();
    const detector = detectors.find((name) => name === chosen?.key);
    if (chosen !== undefined && detector === undefined) {
      chosen.section.skip();
      chosen.section.ignore(`${chosen.section.path} is not supported; there are ${detectors.join(', ')}`);
    }
    return detector === undefined ? [] : [detector];
  });
  const kept = detection.section('attributes');
  return {
    detectors: found,
    ...(kept && { keep: includeExclude({ included: kept.strings('included'), excluded: kept.strings('excluded') }) }),
  };
}

/** The value in the type that is asked for; undefined for null, which leaves the entry out, and after an error. */
function readValue(entry: Section, type: AttributeType): AttributeValue | undefined {
  const value = entry.value('value');
  if (value === undefined || (value.kind === 'scalar' && value.value === null)) return undefined;
  const [base, isArray] = [type.replace('_array', ''), type.endsWith('_array')];
  const converted = isArray ? listOf(value, base) : value.kind === 'scalar' ? convert(value, base) : undefined;
  if (converted === undefined) entry.error(`${entry.path}.value is no ${type}`, 'value');
  return converted;
}

function listOf(value: ConfigValue, base: string): AttributeValue | undefined {
  if (value.kind !== 'list') return undefined;
  const items = value.items.map((item) => (item.kind === 'scalar' ? convert(item, base) : undefined));
  return items.includes(undefined) ? undefined : (items as string[] | number[] | boolean[]);
}

function convert(
  { value, text }: { value: Scalar; text: string },
  base: string,
): string | number | boolean | undefined {
  if (base === 'string') return value === null ? undefined : text;
  if (base === 'bool') return typeof value === 'boolean' ? value : undefined;
  if (typeof value !== 'number') return undefined;
  return base === 'int' && !Number.isSafeInteger(value) ? undefined : value;
}
