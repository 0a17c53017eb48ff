import { serviceColorCss } from '../data/service-color.ts';

/** A service's name behind its colour. */
export function ServiceLabel({ name, strong = false }: { name: string; strong?: boolean }) {
  return (
    <span style={{ display: 'inline-flex', alignItems: 'center', gap: 7, minWidth: 0, maxWidth: '100%' }}>
      <span className="dot" style={{ background: serviceColorCss(name) }} />
      <span className="truncate" style={strong ? { fontWeight: 550 } : undefined} title={name}>
        {name || 'unknown_service'}
      </span>
    </span>
  );
}
