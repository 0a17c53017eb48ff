import { describe, expect, test } from 'vitest';
import { LogqlEngine } from './engine.ts';
import { MemoryLogs } from './memory-logs.ts';
import { StreamLabels } from './stream-labels.ts';

/** What comes out of lines that are not quite what the query expects: as Loki itself answered the same queries. */

const stream = new StreamLabels(new Map([['app', 'shop']]));

function engineOver(lines: readonly string[]): LogqlEngine {
  const logs = new MemoryLogs();
  logs.add(...lines.map((line, index) => ({ stream, time: BigInt(index + 1), line, metadata: [] })));
  return new LogqlEngine(logs, { maxSamples: 1000, maxSeries: 100, maxSteps: 100 });
}

async function linesOf(query: string, ...lines: string[]): Promise<{ line: string; labels: object }[]> {
  const range = { startNs: 0n, endNs: 1_000n, stepNs: 1n, limit: 100, direction: 'forward' as const };
  const { result } = await engineOver(lines).queryRange(query, range);
  if (result.type !== 'streams') throw new Error(`the result is ${result.type}`);
  return result.lines.map(({ line, parsed }) => ({ line, labels: Object.fromEntries(parsed) }));
}

async function valuesOf(query: string, ...lines: string[]): Promise<[object, number][]> {
  const { result } = await engineOver(lines).queryInstant(query, 1_000n);
  if (result.type !== 'vector') throw new Error(`the result is ${result.type}`);
  return result.series.map(({ labels, points }) => [Object.fromEntries(labels.entries()), points[0]?.[1] ?? NaN]);
}

async function labelsOf(query: string, line: string): Promise<object> {
  return (await linesOf(query, line))[0]?.labels ?? {};
}

describe('JSON that breaks off', () => {
  const cut = '{"a": 1, "b": {"c": "x"}, "d":';

  test('gives the members before the end, and an error', async () => {
    expect(await labelsOf('{app="shop"} | json', cut)).toEqual({
      a: '1',
      b_c: 'x',
      __error__: 'JSONParserErr',
      __error_details__: 'Malformed JSON error',
    });
  });

  test('is no error to who asks for members that are there', async () => {
    expect(await labelsOf('{app="shop"} | json a="a", c="b.c", e="e"', cut)).toEqual({ a: '1', c: 'x', e: '' });
    expect(await labelsOf('{app="shop"} | json second="[1]"', '["x", "y", ')).toEqual({ second: 'y' });
  });

  test('is one where the member itself breaks off', async () => {
    expect(await labelsOf('{app="shop"} | json a="a"', '{"a": {"b": 1')).toEqual({
      a: '',
      __error__: 'JSONParserErr',
      __error_details__: "Value looks like object, but can't find closing '}' symbol",
    });
  });

  test.each([
    ['{', 'Malformed JSON error'],
    ['{"a', 'Malformed JSON error'],
    ['{"a" 1}', 'Malformed JSON error'],
    ['{"a": 1', "Value is array, but can't find closing ']' symbol"],
    ['{"a": 1,', "Value is array, but can't find closing ']' symbol"],
    ['{"a": 1 "b": 2}', "Value looks like object, but can't find closing '}' symbol"],
    ['{"a": [1}', "Value is array, but can't find closing ']' symbol"],
    ['{"a": x}', 'Unknown value type'],
  ])('%s: %s', async (line, details) => {
    expect(await labelsOf('{app="shop"} | json', line)).toMatchObject({ __error_details__: details });
  });

  test('numbers are not looked at closely, and a comma may be the last', async () => {
    expect(await labelsOf('{app="shop"} | json', '{"a": 12ab, "b": 0x1F,}')).toEqual({ a: '12ab', b: '0x1F' });
  });
});

describe('labels', () => {
  test('the empty expression is found in every value', async () => {
    expect(await linesOf('{app="shop"} | logfmt | level=~""', 'level=info', 'other=1')).toHaveLength(2);
    expect(await linesOf('{app="shop"} | logfmt | level!~""', 'level=info', 'other=1')).toHaveLength(0);
  });

  test('several may be made of one key of logfmt', async () => {
    expect(await labelsOf('{app="shop"} | logfmt msg, text="msg"', 'msg=hello')).toEqual({
      msg: 'hello',
      text: 'hello',
    });
  });

  test('a number may have underscores between its digits', async () => {
    expect(await linesOf('{app="shop"} | logfmt | size > 999', 'size=1_000')).toEqual([
      { line: 'size=1_000', labels: { size: '1_000' } },
    ]);
    expect(await labelsOf('{app="shop"} | logfmt | size > 999', 'size=1__000')).toMatchObject({
      __error__: 'LabelFilterErr',
    });
  });

  test('a size that is none is told by its number', async () => {
    expect(await labelsOf('{app="shop"} | logfmt | size > 1KB', 'size=10.0.0.1')).toMatchObject({
      __error_details__: 'strconv.ParseFloat: parsing "10.0.0.1": invalid syntax',
    });
  });
});

describe('samples', () => {
  test('an empty value is no sample', async () => {
    const query = 'sum_over_time({app="shop"} | logfmt --keep-empty | unwrap duration(took) [1m])';
    expect(await valuesOf(query, 'took=', 'took=2s')).toEqual([[{ app: 'shop' }, 2]]);
  });

  test('formats that nobody reads are left out, with their mistakes', async () => {
    const format = '| line_format `{{ div 1 0 }}`';
    expect(await valuesOf(`count_over_time({app="shop"} ${format} [1m])`, 'x')).toEqual([[{ app: 'shop' }, 1]]);
    await expect(valuesOf(`count_over_time({app="shop"} ${format} |= "x" [1m])`, 'x')).rejects.toThrow(
      'TemplateFormatErr',
    );
    await expect(valuesOf(`bytes_over_time({app="shop"} ${format} [1m])`, 'x')).rejects.toThrow('TemplateFormatErr');
  });

  test('nobody reads the labels of what is absent', async () => {
    expect(await valuesOf('absent_over_time({app="shop"} | json | drop a [1m])', 'no JSON')).toEqual([]);
  });

  test('without keeps no empty labels, and by does', async () => {
    const inner = 'count_over_time({app="shop"} | logfmt a="a", b="b" [1m])';
    expect(await valuesOf(`sum without (b) (${inner})`, 'b=1')).toEqual([[{ app: 'shop' }, 1]]);
    expect(await valuesOf(`sum by (a) (${inner})`, 'b=1')).toEqual([[{ a: '' }, 1]]);
  });
});

describe('templates', () => {
  const format = async (template: string): Promise<string | undefined> =>
    (await linesOf(`{app="shop"} | line_format \`${template}\``, 'line'))[0]?.line;

  test('times of a zone are read and shown by its clock', async () => {
    const read = (zone: string, time: string) => format(`{{ toDateInZone "2006-01-02 15:04" "${zone}" "${time}" }}`);
    expect(await read('Europe/Paris', '2021-03-28 01:30')).toBe('2021-03-28 01:30:00 +0100 CET');
    expect(await read('Europe/Paris', '2021-03-28 03:30')).toBe('2021-03-28 03:30:00 +0200 CEST');
    expect(await read('America/New_York', '2021-07-01 12:00')).toBe('2021-07-01 12:00:00 -0400 EDT');
    expect(await read('America/Sao_Paulo', '2021-07-01 12:00')).toBe('2021-07-01 12:00:00 -0300 -03');
  });

  test('quotes as Go does', async () => {
    expect(await format('{{ printf "%q %q %q" 3 97 -1 }}')).toBe(String.raw`'\x03' 'a' '�'`);
    expect(await format('{{ printf "%q" "\\x1b[31m" }}')).toBe(String.raw`"\x1b[31m"`);
  });

  test('divides by no zero', async () => {
    expect(await labelsOf('{app="shop"} | line_format `{{ divf 1 0 }}`', 'line')).toMatchObject({
      __error__: 'TemplateFormatErr',
    });
  });
});

describe('series that are there twice on the side that must have one', () => {
  const twice = 'count_over_time({app="shop"} | logfmt [1h])';
  const none = 'count_over_time({app="none"}[1h])';

  test.each([
    [`${none} + on (app) ${twice}`, 'right'],
    [`${none} > on (app) group_left ${twice}`, 'right'],
    [`${twice} + on (app) group_right ${none}`, 'left'],
  ])('are a mistake also where the other side has nothing: %s', async (query, side) => {
    await expect(valuesOf(query, 'level=info', 'level=warn')).rejects.toThrow(
      `found duplicate series on the ${side} hand-side;many-to-many matching not allowed`,
    );
  });

  test('are none on the side that may have several, nor in set operations', async () => {
    expect(await valuesOf(`${twice} + on (app) group_left ${none}`, 'level=info', 'level=warn')).toEqual([]);
    expect(await valuesOf(`${none} and on (app) ${twice}`, 'level=info', 'level=warn')).toEqual([]);
  });
});
