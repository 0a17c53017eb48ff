import { createContext, type ReactNode, useContext, useEffect, useMemo, useRef } from 'react';

type KeyHandler = (event: KeyboardEvent) => void;

/** Handlers by key: `j`, `enter`, `escape`, `arrowdown`, `?`, or two keys after each other: `g s`. */
export type KeyMap = Readonly<Record<string, KeyHandler>>;

const Layers = createContext<{ layers: Set<{ current: KeyMap }> } | null>(null);

/** Keys of one letter act only outside of text fields and dialogs; the layer added last is asked first. */
export function ShortcutProvider({ children }: { children: ReactNode }) {
  const value = useMemo(() => ({ layers: new Set<{ current: KeyMap }>() }), []);
  useEffect(() => {
    let prefix = '';
    let prefixTime = 0;
    function onKeyDown(event: KeyboardEvent) {
      if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return;
      const target = event.target instanceof HTMLElement ? event.target : null;
      if (target?.closest('[role="dialog"], [role="menu"]')) return;
      const typing = target !== null && (target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName));
      if (typing) {
        if (event.key === 'Escape') target.blur();
        return;
      }
      // Enter and space on a focused button or link are that button's.
      if (
        (event.key === 'Enter' || event.key === ' ') &&
        target?.closest('button, a, [role="button"], [role="option"], [role="tab"]')
      )
        return;
      const key = event.key.length > 1 ? event.key.toLowerCase() : event.key;
      const pair = prefix && event.timeStamp - prefixTime < 900 ? `${prefix} ${key}` : '';
      prefix = '';
      const layers = [...value.layers].reverse();
      for (const name of [pair, key]) {
        if (!name) continue;
        const handler = layers.map(({ current }) => current[name]).find((candidate) => candidate !== undefined);
        if (handler) {
          event.preventDefault();
          handler(event);
          return;
        }
      }
      if (layers.some(({ current }) => Object.keys(current).some((name) => name.startsWith(`${key} `)))) {
        prefix = key;
        prefixTime = event.timeStamp;
      }
    }
    document.addEventListener('keydown', onKeyDown);
    return () => document.removeEventListener('keydown', onKeyDown);
  }, [value]);
  return <Layers.Provider value={value}>{children}</Layers.Provider>;
}

/** As long as the component is there, its keys work. */
export function useShortcuts(keys: KeyMap): void {
  const context = useContext(Layers);
  const current = useRef(keys);
  current.current = keys;
  useEffect(() => {
    if (!context) return;
    const layer = {
      get current() {
        return current.current;
      },
    };
    context.layers.add(layer);
    return () => void context.layers.delete(layer);
  }, [context]);
}
