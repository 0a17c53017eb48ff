import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { App, buildPackage } from '../testing/child.ts';

// The W3C's own tests (https://github.com/w3c/trace-context/tree/main/test) against a real service: the harness posts where to
// call back, and looks at the headers of the callbacks. The header sets are theirs; what is expected of each is here, by name.

const folder =
  process.env.SIGNALBOX_CONFORMANCE ?? fileURLToPath(new URL('../../../../../shared/conformance', import.meta.url));
const path = `${folder}/w3c-trace-context/cases.json`;

type Headers = readonly (readonly [name: string, value: string])[];

interface Case {
  readonly suite: string;
  readonly test: string;
  readonly requests_headers: readonly Headers[];
}

const cases: readonly Case[] = existsSync(path) ? JSON.parse(readFileSync(path, 'utf8')).cases : [];

/** What one callback brought. */
interface Callback {
  readonly version: string;
  readonly traceId: string;
  readonly parentId: string;
  readonly flags: number;
  readonly states: readonly (readonly [key: string, value: string])[];
}

type Check = (callback: Callback, sent: Headers, set: number, callbacks: readonly Callback[]) => void;

const GIVEN = '12345678901234567890123456789012';

const continues: Check = ({ traceId, parentId }) => {
  expect(traceId).toBe(GIVEN);
  expect(parentId).not.toBe('1234567890123456');
};
const startsAnew: Check = ({ traceId }, sent) => {
  for (const [name, value] of sent)
    if (name.toLowerCase() === 'traceparent') expect(value.toLowerCase()).not.toContain(traceId);
  expect(traceId).not.toBe(GIVEN);
};
const keeps =
  (...pairs: readonly (readonly [string, string])[]): Check =>
  (callback, ...rest) => {
    continues(callback, ...rest);
    expect(callback.states).toEqual(expect.arrayContaining([...pairs]));
  };
const discards: Check = ({ states }) => expect(states).toEqual([]);
/** `check` for the header sets whose numbers are given, `other` for the rest. */
const forSets =
  (numbers: readonly number[], check: Check, other: Check): Check =>
  (callback, sent, set, callbacks) =>
    (numbers.includes(set) ? check : other)(callback, sent, set, callbacks);
const differentParents: Check = (_callback, _sent, _set, callbacks) => {
  expect(callbacks).toHaveLength(3);
  expect(new Set(callbacks.map(({ parentId }) => parentId)).size).toBe(3);
};

const allowed = `!"#$%&'()*+-./0123456789:;<>?@ABCDEFGHIJKLMNOPQRSTUVWXYZ[\\]^_\`abcdefghijklmnopqrstuvwxyz{|}~`;

const checks: Readonly<Record<string, Check>> = {
  test_both_traceparent_and_tracestate_missing: () => {},
  test_traceparent_included_tracestate_missing: continues,
  test_traceparent_duplicated: startsAnew,
  test_traceparent_header_name: startsAnew,
  test_traceparent_header_name_valid_casing: continues,
  test_traceparent_version_0x00: startsAnew,
  // After a later version's four parts there may be more, but only after a dash.
  test_traceparent_version_0xcc: forSets([0, 1], continues, startsAnew),
  test_traceparent_version_0xff: startsAnew,
  test_traceparent_version_illegal_characters: startsAnew,
  test_traceparent_version_too_long: startsAnew,
  test_traceparent_version_too_short: startsAnew,
  test_traceparent_trace_id_all_zero: startsAnew,
  test_traceparent_trace_id_illegal_characters: startsAnew,
  test_traceparent_trace_id_too_long: startsAnew,
  test_traceparent_trace_id_too_short: startsAnew,
  test_traceparent_parent_id_all_zero: startsAnew,
  test_traceparent_parent_id_illegal_characters: startsAnew,
  test_traceparent_parent_id_too_long: startsAnew,
  test_traceparent_parent_id_too_short: startsAnew,
  test_traceparent_trace_flags_illegal_characters: startsAnew,
  test_traceparent_trace_flags_too_long: startsAnew,
  test_traceparent_trace_flags_too_short: startsAnew,
  test_traceparent_ows_handling: continues,
  test_tracestate_included_traceparent_missing: discards,
  test_tracestate_included_traceparent_included: keeps(['foo', '1'], ['bar', '2']),
  test_tracestate_header_name: discards,
  test_tracestate_header_name_valid_casing: keeps(['foo', '1']),
  test_tracestate_empty_header: forSets([0], discards, keeps(['foo', '1'])),
  test_tracestate_multiple_headers_different_keys: (callback, ...rest) => {
    continues(callback, ...rest);
    expect(callback.states).toEqual([
      ['foo', '1'],
      ['bar', '2'],
      ['rojo', '1'],
      ['congo', '2'],
      ['baz', '3'],
    ]);
  },
  // Either one of the two may be dropped, or both kept.
  test_tracestate_duplicated_keys: (callback, ...rest) => {
    continues(callback, ...rest);
    expect(callback.states.map(([key]) => key)).toContain('foo');
    expect(['1', '2']).toContain(callback.states.find(([key]) => key === 'foo')?.[1]);
  },
  test_tracestate_all_allowed_characters: (callback, sent, set) => {
    const key = 'abcdefghijklmnopqrstuvwxyz0123456789_-*/';
    const whole = set === 0 ? key : `${key}@a-z0-9_-*/`;
    expect(sent[1]?.[1]).toBe(`${whole}= ${allowed}`);
    expect(callback.states).toEqual([[whole, ` ${allowed}`]]);
  },
  test_tracestate_ows_handling: forSets([0, 1], keeps(['foo', '1'], ['bar', '2'], ['baz', '3']), keeps(['foo', '1'])),
  test_tracestate_key_illegal_characters: discards,
  // The second edition lets `@` stand anywhere but in front.
  test_tracestate_key_illegal_vendor_format: (callback, sent, set) => {
    const key = sent[1]?.[1].slice(0, sent[1][1].indexOf('=')) ?? '';
    if (set === 1) return expect(callback.states).toEqual([]);
    expect(callback.states).toEqual([
      [key, '1'],
      ['bar', '2'],
    ]);
  },
  test_tracestate_member_count_limit: (callback, ...rest) => {
    if (rest[1] === 1) return discards(callback, ...rest);
    keeps(['bar01', '01'])(callback, ...rest);
    expect(callback.states).toHaveLength(32);
  },
  test_tracestate_key_length_limit: (callback, sent) => {
    const key = sent[2]?.[1].slice(0, sent[2][1].indexOf('=')) ?? '';
    const kept = [
      ['foo', '1'],
      [key, '1'],
    ];
    expect(callback.states).toEqual(key.length <= 256 ? kept : []);
  },
  test_tracestate_value_illegal_characters: discards,
  test_multiple_requests_with_valid_traceparent: (callback, ...rest) => {
    continues(callback, ...rest);
    differentParents(callback, ...rest);
  },
  test_multiple_requests_without_traceparent: differentParents,
  test_multiple_requests_with_illegal_traceparent: (callback, ...rest) => {
    startsAnew(callback, ...rest);
    differentParents(callback, ...rest);
  },
  test_propagates_random_flag: (callback, ...rest) => {
    continues(callback, ...rest);
    expect(callback.flags & 2).toBe(2);
  },
};

/** The tests of several callbacks make their own headers in the harness, so the data has none for them. */
const ADVANCED: Readonly<Record<string, Headers>> = {
  test_multiple_requests_with_valid_traceparent: [['traceparent', `00-${GIVEN}-1234567890123456-01`]],
  test_multiple_requests_without_traceparent: [],
  test_multiple_requests_with_illegal_traceparent: [['traceparent', `00-${'0'.repeat(32)}-1234567890123456-01`]],
};

/** By two clients: the traced service answers its own `fetch` and `node:http` calls alike. */
const service = `
import http from 'node:http';
const call = {
  fetch: (url, body) => fetch(url, { method: 'POST', body }).then((response) => response.text()),
  http: (url, body) => new Promise((resolve, reject) => {
    http.request(url, { method: 'POST' }, (response) => response.resume().on('end', resolve)).on('error', reject).end(body);
  }),
};
const server = http.createServer(async (request, response) => {
  let body = '';
  for await (const chunk of request) body += chunk;
  const client = call[new URL(request.url, 'http://x').searchParams.get('client')];
  for (const { url, arguments: parameters } of JSON.parse(body)) await client(url, JSON.stringify(parameters));
  response.end();
});
server.listen(0, '127.0.0.1', () => console.log('port=' + server.address().port));
`;

describe.skipIf(cases.length === 0)('W3C Trace Context', () => {
  const received: http.IncomingHttpHeaders[] = [];
  const harness = http.createServer((request, response) => {
    received.push(request.headers);
    request.resume().on('end', () => response.end());
  });
  let app: App;
  let port = 0;

  beforeAll(async () => {
    buildPackage();
    harness.listen(0, '127.0.0.1');
    await once(harness, 'listening');
    app = new App({ file: 'app.mjs', source: service, env: { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:9' } });
    port = await app.port();
  }, 120_000);

  afterAll(async () => {
    await app.stop('SIGKILL');
    harness.closeAllConnections();
    harness.close();
  });

  async function callbacksOf(client: string, headers: Headers, count: number): Promise<Callback[]> {
    received.length = 0;
    const url = `http://127.0.0.1:${(harness.address() as AddressInfo).port}/callback`;
    const payload = JSON.stringify(Array.from({ length: count }, () => ({ url, arguments: [] })));
    await new Promise<void>((resolve, reject) => {
      const raw = ['host', `127.0.0.1:${port}`, 'content-length', `${payload.length}`, ...headers.flat()];
      const options = { host: '127.0.0.1', port, path: `/test?client=${client}`, method: 'POST', headers: raw };
      const request = http.request(options as never, (response) => response.resume().on('end', resolve));
      request.on('error', reject).end(payload);
    });
    return received.map(parseCallback);
  }

  test.each(['fetch', 'http'])('the calls of %s carry on what came in', async (client) => {
    expect(cases).toHaveLength(41);
    for (const { test: name, requests_headers: sets } of cases) {
      const advanced = ADVANCED[name];
      for (const [set, headers] of (advanced === undefined ? sets : [advanced]).entries()) {
        const callbacks = await callbacksOf(client, headers, advanced === undefined ? 1 : 3);
        const check = checks[name];
        if (check === undefined) throw new Error(`there is no check for ${name}`);
        expect(callbacks.length).toBeGreaterThan(0);
        try {
          for (const callback of callbacks) check(callback, headers, set, callbacks);
        } catch (error) {
          throw new Error(`${name}, set ${set}, sent ${JSON.stringify(headers)}: ${(error as Error).message}`);
        }
      }
    }
  });
});

function parseCallback(headers: http.IncomingHttpHeaders): Callback {
  const match = /^(00)-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})$/.exec(String(headers.traceparent));
  if (match === null) throw new Error(`the callback had no valid traceparent: ${headers.traceparent}`);
  const [, version = '', traceId = '', parentId = '', flags = ''] = match;
  expect(traceId).not.toBe('0'.repeat(32));
  expect(parentId).not.toBe('0'.repeat(16));
  const state = headers.tracestate === undefined ? [] : String(headers.tracestate).split(',');
  // What follows the first `=` is the value; nothing may be empty.
  const states = state.map((member) => {
    const split = member.indexOf('=');
    expect(split).toBeGreaterThan(0);
    return [member.slice(0, split), member.slice(split + 1)] as const;
  });
  return { version, traceId, parentId, flags: Number.parseInt(flags, 16), states };
}
