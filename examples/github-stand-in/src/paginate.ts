import type { Item, Json } from './repository-data.ts';

/**
 * One page of a list, with the `Link` header that GitHub sends: `prev`, `next`, `last`, `first`, in that order, only where they lead somewhere.
 * `per_page` is 30 unless told, 100 at most.
 */
export function paginate(
  list: Item[],
  query: URLSearchParams,
  address: string,
  wrapper?: string,
): { body: Json; link: string | null } {
  const perPage = clamp(query.get('per_page'), 30, 100);
  const page = clamp(query.get('page'), 1, 1_000_000);
  const last = Math.max(1, Math.ceil(list.length / perPage));
  const items = list.slice((page - 1) * perPage, page * perPage);
  const link = (target: number, relation: string) => {
    const parameters = new URLSearchParams(query);
    parameters.set('page', String(target));
    return `<${address}?${parameters}>; rel="${relation}"`;
  };
  const links = [
    ...(page > 1 ? [link(Math.min(page - 1, last), 'prev')] : []),
    ...(page < last ? [link(page + 1, 'next'), link(last, 'last')] : []),
    ...(page > 1 ? [link(1, 'first')] : []),
  ];
  return {
    body: wrapper ? { total_count: list.length, [wrapper]: items } : items,
    link: links.length > 0 ? links.join(', ') : null,
  };
}

function clamp(text: string | null, fallback: number, highest: number): number {
  const number = Number.parseInt(text ?? '', 10);
  return Number.isFinite(number) && number >= 1 ? Math.min(number, highest) : fallback;
}
