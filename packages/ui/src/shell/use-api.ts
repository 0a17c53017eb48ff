import { type UseQueryResult, useQuery } from '@tanstack/react-query';
import { apiGet, type Parameters } from '../data/api-client.ts';
import { useTime } from '../time/use-time.ts';

interface Options {
  /** False: not asked for now. */
  enabled?: boolean;
  /** Asked again at the page's refresh interval, as long as the range ends now. Default true. */
  live?: boolean;
  /** The range is added as `start` and `end`. Default true. */
  timed?: boolean;
}

/** An API route's answer over the page's time range. While changed parameters are on their way, the answer before stays (`isPlaceholderData`); not when the path changes. */
export function useApi<T>(path: string, parameters: Parameters = {}, options: Options = {}): UseQueryResult<T> {
  const { enabled = true, live = true, timed = true } = options;
  const { range, refreshMs } = useTime();
  const all = timed ? { ...parameters, start: range.from, end: range.to } : parameters;
  return useQuery<T>({
    queryKey: [path, all],
    queryFn: ({ signal }) => apiGet<T>(path, all, signal),
    enabled,
    refetchInterval: live && refreshMs > 0 ? refreshMs : false,
    placeholderData: (before, query) => (query?.queryKey[0] === path ? before : undefined),
  });
}
