import { expect, test } from 'vitest';
import { FUZZ_TIMEOUT, fuzz } from '../../../../tooling/fuzz.ts';
import { AnswerReader, type HttpAnswer, MalformedAnswerError } from './http-answer.ts';

const bytes = (text: string): Buffer => Buffer.from(text, 'latin1');

/** In pieces of `size` bytes, in a buffer that is written over in between, as that of a connection is. */
function readInPieces(reader: AnswerReader, text: string, size: number): HttpAnswer | undefined {
  const whole = bytes(text);
  const shared = Buffer.alloc(size);
  let answer: HttpAnswer | undefined;
  for (let at = 0; at < whole.length; at += size) {
    const length = whole.copy(shared, 0, at, Math.min(whole.length, at + size));
    answer = reader.read(shared.subarray(0, length));
    if (at + size < whole.length) expect(answer).toBeUndefined();
    shared.fill(0);
  }
  return answer;
}

const plain = 'HTTP/1.1 200 OK\r\nContent-Type: a/b\r\nX-Twice: 1\r\nx-twice:\t2 \r\nContent-Length: 5\r\n\r\nhello';
const chunked =
  'HTTP/1.1 503 Not now\r\nTransfer-Encoding: chunked\r\nRetry-After: 3\r\n\r\n3;x=y\r\nhel\r\n002\r\nlo\r\n0\r\nTrailer: a\r\n\r\n';
const continued =
  'HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early\r\nLink: x\r\n\r\nHTTP/1.1 204 \r\nContent-Length: 7\r\n\r\n';

test.each([1, 2, 3, 7, 1_000])('an answer in pieces of %i bytes is what it is as a whole', (size) => {
  const reader = new AnswerReader(100);
  const answer = readInPieces(reader, plain, size);
  expect(answer).toMatchObject({ status: 200, reason: 'OK', body: Buffer.from('hello') });
  expect([...(answer?.headers ?? [])]).toEqual([
    ['content-type', 'a/b'],
    ['x-twice', '1, 2'],
    ['content-length', '5'],
  ]);
  expect(reader.keepsConnection).toBe(true);
  const inChunks = readInPieces(new AnswerReader(100), chunked, size);
  expect(inChunks).toMatchObject({ status: 503, reason: 'Not now', body: Buffer.from('hello') });
  expect(inChunks?.headers.get('retry-after')).toBe('3');
  // https://www.rfc-editor.org/rfc/rfc9112#section-6.3: one without a body ends with its head, whatever that says.
  expect(readInPieces(new AnswerReader(100), continued, size)).toMatchObject({ status: 204, body: Buffer.alloc(0) });
});

test('the end of the connection is the end of a body without a length, and of no other', () => {
  const without = new AnswerReader(100);
  expect(without.read(bytes('HTTP/1.1 200 OK\r\n\r\nhel'))).toBeUndefined();
  expect(without.read(bytes('lo'))).toBeUndefined();
  expect(without.end()).toMatchObject({ status: 200, body: Buffer.from('hello') });
  expect(without.keepsConnection).toBe(false);
  for (const text of ['HTTP/1.1 200 OK\r\nConte', plain.slice(0, -1), chunked.slice(0, -2)]) {
    const cut = new AnswerReader(100);
    expect(cut.read(bytes(text))).toBeUndefined();
    expect(cut.end()).toBeUndefined();
  }
});

test.each([
  'HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n',
  'HTTP/1.1 200 OK\r\nConnection: Keep-Alive, Close\r\nContent-Length: 0\r\n\r\n',
  'HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n',
])('%j is the last answer of its connection', (text) => {
  const reader = new AnswerReader(100);
  expect(reader.read(bytes(text))).toMatchObject({ status: 200 });
  expect(reader.keepsConnection).toBe(false);
});

test.each([
  // What an HTTP/2 server says first.
  '\0\0\x06\x04\0\0\0\0\0',
  // An alert of TLS.
  '\x15\x03\x01\0\x02\x02\x16',
  'HTTP/2 200 OK\r\n\r\n',
  'HTTP/1.1 20x OK\r\n\r\n',
  'HTTP/1.1 101 Switching\r\n\r\n',
  'HTTP/1.1 200 OK\r\nno colon\r\n\r\n',
  'HTTP/1.1 200 OK\r\na : b\r\n\r\n',
  'HTTP/1.1 200 OK\r\na: b\r\n folded\r\n\r\n',
  'HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n',
  'HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n',
  'HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n',
  'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n',
  'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nab\r\n',
  `HTTP/1.1 200 OK\r\na: ${'b'.repeat(20_000)}`,
  `HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n${'1'.repeat(20_000)}`,
])('%j is refused', (text) => {
  expect(() => new AnswerReader(100).read(bytes(text))).toThrow(MalformedAnswerError);
});

test('what comes behind an answer does not make it another one, but is the end of its connection', () => {
  for (const behind of ['\r\n', 'more', plain]) {
    const reader = new AnswerReader(100);
    expect(reader.read(bytes(`${plain}${behind}`))).toMatchObject({ status: 200, body: Buffer.from('hello') });
    expect(reader.keepsConnection).toBe(false);
  }
});

// https://www.rfc-editor.org/rfc/rfc9112#section-2.2
test.each([1, 2, 3, 100])('empty lines before an answer, in pieces of %i bytes, are nothing', (size) => {
  const reader = new AnswerReader(100);
  expect(readInPieces(reader, `\r\n\r\n${plain}`, size)).toMatchObject({ status: 200, body: Buffer.from('hello') });
  expect(reader.keepsConnection).toBe(true);
});

test('a header of many spaces is read, or refused, in one go', () => {
  const answer = new AnswerReader(100).read(
    bytes(`HTTP/1.1 204 \r\na:${' '.repeat(15_000)}b${' '.repeat(900)}\r\n\r\n`),
  );
  expect(answer?.headers.get('a')).toBe('b');
  // Read by a pattern that may split the spaces in any way it took minutes.
  expect(() => new AnswerReader(100).read(bytes(`HTTP/1.1 204 \r\na:${' '.repeat(15_000)}\r\r\n\r\n`))).toThrow(
    MalformedAnswerError,
  );
});

test(
  'whatever comes is an answer, the beginning of one, or refused',
  () => {
    fuzz(
      [plain, chunked, continued].map(bytes),
      (input) => new AnswerReader(3).read(Buffer.from(input)),
      (error) => error instanceof MalformedAnswerError,
    );
  },
  FUZZ_TIMEOUT,
);

test('of a body that is too long nothing is kept, and its end is found', () => {
  const reader = new AnswerReader(10);
  expect(reader.read(bytes('HTTP/1.1 400 No\r\nContent-Length: 3000000\r\n\r\n'))).toBeUndefined();
  for (let million = 1; million < 3; million += 1) expect(reader.read(Buffer.alloc(1_000_000))).toBeUndefined();
  expect(reader.read(Buffer.alloc(1_000_000))).toMatchObject({ status: 400, body: Buffer.alloc(0) });
});
