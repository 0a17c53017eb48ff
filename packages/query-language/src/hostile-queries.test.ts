import { expect, it } from 'vitest';
import { FUZZ_TIMEOUT, fuzz } from '../../../tooling/fuzz.ts';
import { LogqlParseError, ParseError, parseLogql, parsePromql, parseTraceql, TraceqlError } from './index.ts';

/** Between them every kind of expression. */
const languages = [
  {
    name: 'PromQL',
    parse: (text: string) => parsePromql(text),
    refusal: ParseError,
    queries: [
      'sum by (job, "http.route") (rate({"http.requests", code=~"5..", env!~"a|b"}[5m] offset 1h)) / ignoring(code) group_left sum(up)',
      'histogram_quantile(0.9, sum(rate(a_bucket[1m:10s] @ end())) by (le)) > bool -1.5e3 ^ 2 unless on () vector(0x1f)',
      'label_replace(topk(3, max_over_time(x{a="\\"b\\u00e9"}[1d])), "a", `$1`, \'b\', "(.*)") and absent(y) or vector(NaN)',
    ],
  },
  {
    name: 'LogQL',
    parse: (text: string) => parseLogql(text),
    refusal: LogqlParseError,
    queries: [
      '{app="a", env=~"b|c"} |= "x" or `y` != ip("10.0.0.0/8") | json a="b[0].c" | logfmt --strict | level = "error" and took > 250ms or size <= 5KB',
      'sum by (a) (rate({a="b"} | pattern "<ip> - <_> \\"<method>\\"" | unwrap duration(took) | __error__="" [5m] offset 1m)) > 0.5',
      '{a="b"} | regexp "(?P<x>\\\\d+)" | line_format "{{.x}} {{ upper .y }}" | label_format a=b,c="{{.d}}" | drop a, b="c" | keep d | decolorize',
    ],
  },
  {
    name: 'TraceQL',
    parse: (text: string) => parseTraceql(text),
    refusal: TraceqlError,
    queries: [
      '{ span.http.status_code >= 500 && resource.service.name =~ "a.*" || .x != nil } >> { duration > 1.5s } | count() > 2',
      '({ kind = server } && { status = error }) | by(name) | select(span."a b", event:name) | avg(duration) > 100ms',
      '{ rootServiceName = "a" && !(-.x + 2 ^ 3 < 7) } | quantile_over_time(duration, .9, .99) by (span.a) with (exemplars=true)',
    ],
  },
] as const;

it.each(languages)('what is changed below is $name', ({ parse, queries }) => {
  for (const query of queries) expect(() => parse(query)).not.toThrow();
});

it.each(languages)('$name is parsed or refused, whatever its bytes', { timeout: FUZZ_TIMEOUT }, (language) => {
  fuzz(
    language.queries.map((query) => Buffer.from(query)),
    (bytes) => language.parse(Buffer.from(bytes).toString()),
    (error) => error instanceof language.refusal,
  );
});
