import { useQueryClient } from '@tanstack/react-query';
import { useCallback, useSyncExternalStore } from 'react';
import { formatClock } from '../data/format.ts';
import styles from './app-shell.module.css';

/** What is shown is old, because asking again failed: said, lest somebody takes it for what is now. */
export function StaleNote() {
  const cache = useQueryClient().getQueryCache();
  const subscribe = useCallback((changed: () => void) => cache.subscribe(changed), [cache]);
  const since = useSyncExternalStore(subscribe, () =>
    cache
      .getAll()
      .filter((query) => query.isActive() && query.state.status === 'error' && query.state.data !== undefined)
      .reduce((oldest, { state }) => Math.min(oldest, state.dataUpdatedAt), Number.POSITIVE_INFINITY),
  );
  if (!Number.isFinite(since)) return null;
  return (
    <div className={styles.stale} role="status" data-testid="stale-note">
      Not refreshed since {formatClock(since, 0)}: asking again failed.
    </div>
  );
}
