/** Addresses from `from` to `to`, both included, of one family. */
export interface IpPattern {
  readonly isV6: boolean;
  readonly from: bigint;
  readonly to: bigint;
}

/** The number of an address; undefined: not one. Zones are not read. */
export function parseIp(text: string): { isV6: boolean; value: bigint } | undefined {
  if (text.includes(':')) return parseV6(text);
  const value = parseV4(text);
  return value === undefined ? undefined : { isV6: false, value };
}

function parseV4(text: string): bigint | undefined {
  const parts = text.split('.');
  if (parts.length !== 4) return undefined;
  let value = 0n;
  for (const part of parts) {
    if (!/^(0|[1-9]\d{0,2})$/.test(part) || Number(part) > 255) return undefined;
    value = (value << 8n) | BigInt(part);
  }
  return value;
}

function parseV6(text: string): { isV6: boolean; value: bigint } | undefined {
  const [head = '', tail, more] = text.split('::');
  if (more !== undefined) return undefined;
  const before = groups(head, tail === undefined);
  const after = tail === undefined ? [] : groups(tail, true);
  if (!before || !after) return undefined;
  const missing = 8 - before.length - after.length;
  if (tail === undefined ? missing !== 0 : missing < 1) return undefined;
  const all = [...before, ...Array.from({ length: missing }, () => 0), ...after];
  return { isV6: true, value: all.reduce((value, group) => (value << 16n) | BigInt(group), 0n) };
}

/** Groups of 16 bits; the last may be an IPv4 address. */
function groups(text: string, mayEndInV4: boolean): number[] | undefined {
  if (text === '') return [];
  const parts = text.split(':');
  const values: number[] = [];
  for (const [index, part] of parts.entries()) {
    if (mayEndInV4 && index === parts.length - 1 && part.includes('.')) {
      const v4 = parseV4(part);
      if (v4 === undefined) return undefined;
      values.push(Number(v4 >> 16n), Number(v4 & 0xffffn));
    } else if (/^[0-9a-fA-F]{1,4}$/.test(part)) values.push(Number.parseInt(part, 16));
    else return undefined;
  }
  return values;
}

/** `10.0.0.0/8`, `fc00::/7`; bits behind the prefix do not matter. undefined: not one. */
export function parseIpPrefix(text: string): IpPattern | undefined {
  const [, address = '', bits = ''] = /^([^/]+)\/(0|[1-9]\d{0,2})$/.exec(text) ?? [];
  const network = parseIp(address);
  if (!network) return undefined;
  const width = network.isV6 ? 128 : 32;
  if (Number(bits) > width) return undefined;
  const host = (1n << BigInt(width - Number(bits))) - 1n;
  return { isV6: network.isV6, from: network.value & ~host, to: network.value | host };
}

/** Whether a text is an address of one of the patterns; an IPv4 address that is written as IPv6 is one of IPv4. */
export function isIpOf(patterns: readonly IpPattern[], text: string): boolean {
  const ip = parseIp(text);
  if (!ip) return false;
  const isMapped = ip.isV6 && ip.value >> 32n === 0xffffn;
  const isV6 = ip.isV6 && !isMapped;
  const value = isMapped ? ip.value & 0xffff_ffffn : ip.value;
  return patterns.some((pattern) => pattern.isV6 === isV6 && value >= pattern.from && value <= pattern.to);
}

/** An address, `10.0.0.0/8`, or `10.0.0.1-10.0.0.9`; undefined: none of these. */
export function parseIpPattern(text: string): IpPattern | undefined {
  const single = parseIp(text);
  if (single) return { isV6: single.isV6, from: single.value, to: single.value };
  const prefix = parseIpPrefix(text);
  if (prefix) return prefix;
  const dash = text.indexOf('-');
  const from = dash < 0 ? undefined : parseIp(text.slice(0, dash));
  const to = dash < 0 ? undefined : parseIp(text.slice(dash + 1));
  if (!from || !to || from.isV6 !== to.isV6 || from.value > to.value) return undefined;
  return { isV6: from.isV6, from: from.value, to: to.value };
}

/** Where an address may begin: a dot within the three characters after a digit, or a colon after up to four digits. */
const BEGINNING = /(\d(?=[\s\S]{0,2}\.)(?=[\s\S]{3}))|::[0-9a-fA-F]|[0-9a-fA-F]{1,4}:/g;

/** Whether some address in a text is one of the pattern's. */
export function containsIp(pattern: IpPattern, text: string): boolean {
  BEGINNING.lastIndex = 0;
  for (let match = BEGINNING.exec(text); match; match = BEGINNING.exec(text)) {
    const span = match[1] === undefined ? /[0-9a-fA-F:.]*/y : /[0-9.]*/y;
    span.lastIndex = match.index;
    const [candidate = ''] = span.exec(text) ?? [];
    const ip = parseIp(candidate);
    if (ip && ip.isV6 === pattern.isV6 && ip.value >= pattern.from && ip.value <= pattern.to) return true;
    BEGINNING.lastIndex = match.index + candidate.length + 1;
  }
  return false;
}
