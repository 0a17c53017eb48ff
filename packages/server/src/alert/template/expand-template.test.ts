import { describe, expect, test } from 'vitest';
import { expandAlertTemplate, parseAlertTemplate } from './expand-template.ts';
import type { TemplateSample } from './prometheus-functions.ts';

/** Expands `source` as an alert's annotation, at 2012-11-24 11:14:12 UTC. */
async function expand(source: string, given: { value?: number; results?: readonly TemplateSample[] } = {}) {
  return await expandAlertTemplate(
    parseAlertTemplate('Test', source),
    {
      labels: [
        ['instance', 'db-1:9100'],
        ['job', 'node'],
      ],
      externalLabels: [['region', 'eu']],
      value: given.value ?? 1.5,
    },
    {
      timeMs: 1_353_755_652_000,
      externalUrl: new URL('http://testhost:9090/path/prefix'),
      query: async () => given.results ?? [],
    },
  );
}

// What Prometheus's documentation and its own template tests say comes out, and what Go's documentation of text/template says.
const cases: readonly (readonly [template: string, expected: string])[] = [
  ['plain text', 'plain text'],
  ['Instance {{ $labels.instance }} of {{ $labels.job }} down', 'Instance db-1:9100 of node down'],
  ['{{ .Labels.instance }} {{ $.Labels.job }}', 'db-1:9100 node'],
  ['[{{ $labels.missing }}]', '[]'],
  ['{{ $externalLabels.region }} {{ $externalURL }}', 'eu http://testhost:9090/path/prefix'],
  ['{{ $value }}', '1.5'],
  ['{{ 1 }} {{ 1.0 }} {{ 1000000.0 }} {{ 0.00001 }} {{ 123456.0 }}', '1 1 1e+06 1e-05 123456'],
  ['{{ "a\\tb" }} {{ `c\\d` }} {{ \'x\' }} {{ 0x1F }}', 'a\tb c\\d 120 31'],
  ['a {{- 1 -}} b', 'a1b'],
  ['a{{/* a comment */}}b', 'ab'],
  ['a {{- /* trims */ -}} b', 'ab'],
  ['{{ if gt $value 1.0 }}high{{ else }}low{{ end }}', 'high'],
  ['{{ if lt $value 1.0 }}a{{ else if eq $labels.job "node" }}b{{ else }}c{{ end }}', 'b'],
  ['{{ with $labels.missing }}a{{ else }}none{{ end }}{{ with $labels.job }}{{ . }}{{ end }}', 'nonenode'],
  ['{{ range $name, $text := $labels }}{{ $name }}={{ $text }};{{ end }}', 'instance=db-1:9100;job=node;'],
  [
    '{{ range $i, $e := (args 1 2) }}{{ $i }}{{ $e }}{{ if eq $i "arg0" }}{{ continue }}{{ end }}!{{ end }}',
    'arg01arg12!',
  ],
  ['{{ $x := 1 }}{{ if true }}{{ $x = 2 }}{{ $x := 3 }}{{ end }}{{ $x }}', '2'],
  ['{{define "x"}}{{.arg0}} {{.arg1}}{{end}}{{template "x" (args 1 "2")}}', '1 2'],
  ['{{ block "b" $value }}<{{ . }}>{{ end }}', '<1.5>'],
  ['{{ and 1 0 2 }} {{ or 0 "" "x" }} {{ not true }}', '0 x false'],
  ['{{ or true (index $labels 5) }}', 'true'],
  ['{{ eq 1 2 1 }} {{ ne "a" "b" }} {{ le 1.5 1.5 }} {{ ge 2 3 }}', 'true true true false'],
  ['{{ len $labels }} {{ len "äb" }} {{ index $labels "job" }} {{ slice "abcd" 1 3 }}', '2 3 node bc'],
  ['{{ print 1 2 "a" "b" 3 }}|{{ println 1 "a" }}', '1 2a b3|1 a\n'.replace('2a b3', '2ab3')],
  [
    '{{ printf "%d %5.2f|%-5s|%05d|%x|%q|%v|%t|%e|%g|%%" 7 3.14159 "ab" 42 255 "q" 1.0 true 1234.5 0.1 }}',
    '7  3.14|ab   |00042|ff|"q"|1|true|1.234500e+03|0.1|%',
  ],
  ['{{ printf "%d %s" 1.5 }}', '%!d(float64=1.5) %!s(MISSING)'],
  ['{{ printf "%.0f %.0f %.3g" 2.5 3.5 1234567.0 }}', '2 4 1.23e+06'],
  ['{{ html "<b>&" }} {{ urlquery "a b&c" }} {{ "x/y z" | urlQueryEscape }}', '&lt;b&gt;&amp; a+b%26c x%2Fy+z'],
  [
    '{{ "foo.example.com:12345" | stripPort }} {{ "[2001:0DB8::1]:12345" | stripPort }} {{ "2001:0DB8::1" | stripPort }}',
    'foo.example.com 2001:0DB8::1 2001:0DB8::1',
  ],
  ['{{ "[2001:0DB8::1]::12345" | stripPort }}', '[2001:0DB8::1]::12345'],
  [
    '{{ "foo.example.com:12345" | stripDomain }} {{ "192.0.2.1:12345" | stripDomain }} {{ "foo.example.com" | stripDomain }}',
    'foo:12345 192.0.2.1:12345 foo',
  ],
  [
    '{{ reReplaceAll "(a)b" "x$1" "ab" }} {{ reReplaceAll "(?P<n>.)" "$n$$" "z" }} {{ reReplaceAll "(a)" "$1x" "a" }}|',
    'xa z$ |',
  ],
  ['{{ match "a+" "aa" }} {{ match "a+" "b" }}', 'true false'],
  ['{{ "aa bb CC" | title }} {{ "aA" | toUpper }} {{ "aA" | toLower }}', 'Aa Bb CC AA aa'],
  ['{{ humanize 0.0 }}:{{ humanize 1.0 }}:{{ humanize 1234567.0 }}:{{ humanize ".12" }}', '0:1:1.235M:120m'],
  ['{{ humanize 9223372036854775807 }}:{{ humanize1024 9223372036854775807 }}', '9.223E:8Ei'],
  ['{{ humanize1024 1048576.0 }}:{{ humanize1024 .12 }}:{{ humanize1024 1234567 }}', '1Mi:0.12:1.177Mi'],
  [
    '{{ humanizeDuration 899.99 }}:{{ humanizeDuration -183845 }}:{{ humanizeDuration 90000.0 }}',
    '14m 59s:-2d 3h 4m 5s:1d 1h 0m 0s',
  ],
  [
    '{{ humanizeDuration .1 }}:{{ humanizeDuration .0001 }}:{{ humanizeDuration 1.2345 }}:{{ humanizeDuration 12.345 }}',
    '100ms:100us:1.234s:12.35s',
  ],
  ['{{ humanize "+Inf" }}:{{ humanizeDuration "-Inf" }}:{{ humanizeTimestamp "NaN" }}', '+Inf:-Inf:NaN'],
  [
    '{{ -0.22222 | humanizePercentage }}:{{ 0.0 | humanizePercentage }}:{{ 1234567 | humanizePercentage }}',
    '-22.22%:0%:1.235e+08%',
  ],
  ['{{ 1435065584.128 | humanizeTimestamp }}', '2015-06-23 13:19:44.128 +0000 UTC'],
  ['{{ humanizeTimestamp -1 }}', '1969-12-31 23:59:59 +0000 UTC'],
  [
    '{{ (1435065584.128 | toTime).Format "2006-01-02T15:04:05.000Z07:00" }} {{ (toTime 0).Year }}',
    '2015-06-23T13:19:44.128Z 1970',
  ],
  ['{{ (1800 | toDuration).String }} {{ toDuration 3661.5 }} {{ toDuration 0.0015 }}', '30m0s 1h1m1.5s 1.5ms'],
  ['{{ now }} {{ (now | toTime).Format "Mon Jan 2 15:04:05 2006" }}', '1.353755652e+09 Sat Nov 24 11:14:12 2012'],
  ['{{ ("-30m" | parseDuration | toDuration | (now | toTime).Add).UnixMilli }}', '1353753852000'],
  ['{{ printf "%0.2f" (parseDuration "-1h2m10ms") }}', '-3720.01'],
  ['{{ graphLink "up > 0" }} {{ tableLink "up" }}', '/graph?g0.expr=up+%3E+0&g0.tab=0 /graph?g0.expr=up&g0.tab=1'],
  ['{{ pathPrefix }} {{ externalURL }}', '/path/prefix http://testhost:9090/path/prefix'],
  ['{{ range query "up" | sortByLabel "instance" }}{{.Labels.instance}}:{{.Value}}: {{end}}', 'a:11: b:21: '],
  ['{{ with query "up" }}{{ . | first | value | humanize }} {{ first . | label "instance" }}{{ end }}', '21 b'],
];

const results: readonly TemplateSample[] = [
  { labels: [['instance', 'b']], value: 21 },
  { labels: [['instance', 'a']], value: 11 },
];

describe('a template', () => {
  test.each(cases)('%s', async (template, expected) => {
    expect(await expand(template, { results })).toBe(expected);
  });

  test('shows a native histogram by its text', async () => {
    const value = { toString: () => '{count:3, sum:10}' };
    expect(await expand('{{ query "x" | first | value }}', { results: [{ labels: [], value }] })).toBe(
      '{count:3, sum:10}',
    );
  });
});

describe('a mistake in a template', () => {
  test.each([
    ['{{', 'unclosed action'],
    ['a\n{{ if }}x{{ end }}', 'template: __alert_Test:2: missing value for if'],
    ['{{ if 1 }}', 'unexpected EOF'],
    ['{{ end }}', 'unexpected {{end}}'],
    ['{{ $nothing }}', 'undefined variable "$nothing"'],
    ['{{ nosuch 1 }}', 'function "nosuch" not defined'],
    ['{{ "unclosed }}', 'unterminated quoted string'],
    ['{{ 1 | 2 }}', 'non executable command in pipeline stage 2'],
    ['{{ break }}', '{{break}} outside {{range}}'],
    ['{{ 09 }}', 'bad number syntax: 09'],
    ['{{\u00a0}}', 'unexpected'],
    [`{{ ${'('.repeat(101)} }}`, 'nested deeper than 100'],
  ])('is found when it is parsed: %s', (template, message) => {
    expect(() => parseAlertTemplate('Test', template)).toThrow(message);
  });

  test.each([
    ['{{ query "missing" | first }}', 'error calling first: first() called on vector with no elements'],
    ['{{ (query "missing").banana }}', "can't evaluate field banana in type slice"],
    ['{{ humanize "one" }}', 'error calling humanize: strconv.ParseFloat: parsing "one": invalid syntax'],
    [
      '{{ humanizeTimestamp 9223372036854775807 }}',
      '9.223372036854776e+18 cannot be represented as a nanoseconds timestamp',
    ],
    ['{{ if gt $value 1 }}{{ end }}', 'error calling gt: incompatible types for comparison'],
    ['{{ $labels.job "x" }}', 'job is not a method but has arguments'],
    ['{{ template "nosuch" }}', 'template "nosuch" not defined'],
    ['{{ define "x" }}{{ template "x" }}{{ end }}{{ template "x" }}', 'exceeded maximum template depth'],
    ['{{ range 100000 }}{{ range 100000 }}{{ end }}{{ end }}', 'more than 100000 steps'],
    ['{{ range 50000 }}xxxxxxxxxxxxxxxxxxxxxxxxxxxxxx{{ end }}', 'longer than 1048576 characters'],
    ['{{ reReplaceAll "(" "" "" }}', 'error calling reReplaceAll'],
  ])('is found when it is executed: %s', async (template, message) => {
    await expect(expand(template)).rejects.toThrow(message);
  });

  test('does not hide what the query itself throws', async () => {
    const template = parseAlertTemplate('Test', '{{ query "up" }}');
    const failing = {
      timeMs: 0,
      externalUrl: new URL('http://h'),
      query: () => Promise.reject(new RangeError('no store')),
    };
    await expect(expandAlertTemplate(template, { labels: [], externalLabels: [], value: 1 }, failing)).rejects.toThrow(
      RangeError,
    );
  });
});
