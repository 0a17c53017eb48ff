import { useNavigate, useSearch } from '@tanstack/react-router';
import { useCallback } from 'react';

/**
 * The address's search part as this page's state. `update` changes some of it and stays on the page; by default the change can be undone
 * with the browser's back button, `replace: true` is for what changes with every key pressed.
 */
export function useSearchState<T extends object>(): [T, (patch: Partial<T>, options?: { replace?: boolean }) => void] {
  const whole: unknown = useSearch({ strict: false });
  const search = whole as T;
  const navigate = useNavigate();
  const update = useCallback(
    (patch: Partial<T>, options?: { replace?: boolean }) => {
      void navigate({
        to: '.',
        // The router's own type is the union over all pages; this hook's caller knows its page.
        search: ((before: object) => ({ ...before, ...patch })) as never,
        replace: options?.replace ?? false,
        resetScroll: false,
      });
    },
    [navigate],
  );
  return [search, update];
}
