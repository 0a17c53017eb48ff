// biome-ignore-all lint/suspicious/noTemplateCurlyInString: variables as a configuration file has them
import { expect, test } from 'vitest';
import { parseYaml } from './parse-yaml.ts';
import { Findings } from './section.ts';

const variables = {
  STRING_VALUE: 'value',
  BOOL_VALUE: 'true',
  INT_VALUE: '1',
  FLOAT_VALUE: '1.1',
  HEX_VALUE: '0xdeadbeef',
  INVALID_MAP_VALUE: 'value\nkey:value',
  DO_NOT_REPLACE_ME: 'Never use this value',
  REPLACE_ME: `\${DO_NOT_REPLACE_ME}`,
  VALUE_WITH_ESCAPE: 'value$$',
  EMPTY: '',
};

function read(yaml: string): { value: unknown; errors: readonly string[] } {
  const findings = new Findings();
  const root = parseYaml(yaml, variables, findings);
  const entry = root?.kind === 'mapping' ? [...root.entries.values()][0] : undefined;
  return { value: entry?.value.kind === 'scalar' ? entry.value.value : entry?.value, errors: findings.errors };
}

/** https://opentelemetry.io/docs/specs/otel/configuration/data-model/#environment-variable-substitution, its table. */
test.each([
  ['key: ${STRING_VALUE}', 'value'],
  ['key: ${BOOL_VALUE}', true],
  ['key: ${INT_VALUE}', 1],
  ['key: ${FLOAT_VALUE}', 1.1],
  ['key: ${HEX_VALUE}', 3_735_928_559],
  ['key: "${STRING_VALUE}"', 'value'],
  ['key: "${BOOL_VALUE}"', 'true'],
  ['key: "${INT_VALUE}"', '1'],
  ['key: "${FLOAT_VALUE}"', '1.1'],
  ['key: "${HEX_VALUE}"', '0xdeadbeef'],
  ['key: ${env:STRING_VALUE}', 'value'],
  ['key: ${INVALID_MAP_VALUE}', 'value\nkey:value'],
  ['key: foo ${STRING_VALUE} ${FLOAT_VALUE}', 'foo value 1.1'],
  ['key: ${UNDEFINED_KEY}', null],
  ['key: ${UNDEFINED_KEY:-fallback}', 'fallback'],
  ['key: ${REPLACE_ME}', '${DO_NOT_REPLACE_ME}'],
  ['key: ${UNDEFINED_KEY:-${STRING_VALUE}}', '${STRING_VALUE}'],
  ['key: $${STRING_VALUE}', '${STRING_VALUE}'],
  ['key: $$${STRING_VALUE}', '$value'],
  ['key: $$$${STRING_VALUE}', '$${STRING_VALUE}'],
  ['key: $${STRING_VALUE:-fallback}', '${STRING_VALUE:-fallback}'],
  ['key: $${STRING_VALUE:-${STRING_VALUE}}', '${STRING_VALUE:-value}'],
  ['key: ${UNDEFINED_KEY:-$${UNDEFINED_KEY}}', '${UNDEFINED_KEY:-${UNDEFINED_KEY}}'],
  ['key: ${VALUE_WITH_ESCAPE}', 'value$$'],
  ['key: a $$ b', 'a $ b'],
  ['key: a $ b', 'a $ b'],
  // The text says that an empty variable counts as none.
  ['key: ${EMPTY:-fallback}', 'fallback'],
  ['key: ${env:UNDEFINED_KEY:-1.5e3}', 1500],
  ['key: ${UNDEFINED_KEY:-~}', null],
])('%s', (yaml, expected) => {
  expect(read(yaml)).toEqual({ value: expected, errors: [] });
});

test('keys are left alone', () => {
  const root = parseYaml('${STRING_VALUE}: value', variables, new Findings());
  expect(root?.kind === 'mapping' && [...root.entries.keys()]).toEqual(['${STRING_VALUE}']);
});

test.each(['${STRING_VALUE:?error}', '${1API_KEY}', '${API_$KEY}', '${sys:otel.service.name}'])(
  'key: %s is an error with its place',
  (value) => {
    expect(read(`key: ${value}`).errors).toEqual([`1:6: ${value} is no reference like \${NAME} or \${NAME:-default}`]);
  },
);

test('what is no YAML, comes twice, or is made to grow is an error with its place', () => {
  expect(read('a: [1').errors[0]).toMatch(/^\d+:\d+: /);
  expect(read('a: 1\na: 2').errors).toEqual([expect.stringMatching(/^2:1: .*unique/)]);
  const laughs = Array.from({ length: 9 }, (_, level) =>
    level === 0
      ? 'a0: &a0 [lol]'
      : `a${level}: &a${level} [${Array(9)
          .fill(`*a${level - 1}`)
          .join(',')}]`,
  );
  expect(read(laughs.join('\n')).errors).toEqual([expect.stringContaining('too many values')]);
});
