import { ActionIcon, Tooltip, useComputedColorScheme, useMantineColorScheme } from '@mantine/core';
import { IconHelp, IconMoon, IconServer2, IconSun } from '@tabler/icons-react';
import { Link, Outlet, useNavigate } from '@tanstack/react-router';
import { useState } from 'react';
import { TimePicker } from '../time/time-picker.tsx';
import styles from './app-shell.module.css';
import { GlobalSearch } from './global-search.tsx';
import { HelpDialog } from './help-dialog.tsx';
import { ShortcutProvider, useShortcuts } from './shortcuts.tsx';
import { StaleNote } from './stale-note.tsx';

const pages = [
  { to: '/services', label: 'Services', keys: 'g s' },
  { to: '/traces', label: 'Traces', keys: 'g t' },
  { to: '/logs', label: 'Logs', keys: 'g l' },
  { to: '/metrics', label: 'Metrics', keys: 'g m' },
] as const;

export function AppShell() {
  return (
    <ShortcutProvider>
      <Shell />
    </ShortcutProvider>
  );
}

function Shell() {
  const [help, setHelp] = useState(false);
  const navigate = useNavigate();
  const { setColorScheme } = useMantineColorScheme();
  const scheme = useComputedColorScheme('light', { getInitialValueInEffect: false });
  const toggle = () => setColorScheme(scheme === 'dark' ? 'light' : 'dark');

  useShortcuts({
    '/': focusSearch,
    '?': () => setHelp(true),
    t: toggle,
    'g s': () => void navigate({ to: '/services' }),
    'g t': () => void navigate({ to: '/traces' }),
    'g l': () => void navigate({ to: '/logs' }),
    'g m': () => void navigate({ to: '/metrics' }),
  });

  return (
    <div className="shell">
      <a href="#main" className={styles.skip}>
        Skip to the content
      </a>
      <header className={styles.bar}>
        <Link to="/services" className={styles.brand} aria-label="Signalbox: services">
          <svg width="20" height="20" viewBox="0 0 32 32" aria-hidden="true">
            <rect width="32" height="32" rx="7" fill="var(--accent-fill)" />
            <path d="M7 10h10M11 16h12M17 22h8" stroke="#fff" strokeWidth="3" strokeLinecap="round" />
          </svg>
          <span className={styles.name}>Signalbox</span>
        </Link>
        <nav className={styles.nav} aria-label="Signals">
          {pages.map(({ to, label, keys }) => (
            <Link
              key={to}
              to={to}
              className={styles.link}
              activeProps={{ className: `${styles.link} ${styles.active}`, 'aria-current': 'page' }}
              title={`${label} (${keys})`}
            >
              {label}
            </Link>
          ))}
        </nav>
        <GlobalSearch />
        <div className={styles.tools}>
          <TimePicker />
          <span className={styles.divider} aria-hidden="true" />
          <Tooltip label="This Signalbox">
            <ActionIcon
              component={Link}
              to="/status"
              variant="subtle"
              color="gray"
              size={30}
              aria-label="State of this Signalbox"
            >
              <IconServer2 size={16} stroke={1.7} />
            </ActionIcon>
          </Tooltip>
          <Tooltip label={scheme === 'dark' ? 'Light (t)' : 'Dark (t)'}>
            <ActionIcon
              variant="subtle"
              color="gray"
              size={30}
              onClick={toggle}
              aria-label={scheme === 'dark' ? 'Use the light theme' : 'Use the dark theme'}
            >
              {scheme === 'dark' ? <IconSun size={16} stroke={1.7} /> : <IconMoon size={16} stroke={1.7} />}
            </ActionIcon>
          </Tooltip>
          <Tooltip label="Keyboard (?)">
            <ActionIcon
              variant="subtle"
              color="gray"
              size={30}
              onClick={() => setHelp(true)}
              aria-label="Keyboard help"
            >
              <IconHelp size={16} stroke={1.7} />
            </ActionIcon>
          </Tooltip>
        </div>
      </header>
      <main id="main" style={{ minHeight: 0 }} tabIndex={-1}>
        <Outlet />
      </main>
      <StaleNote />
      <HelpDialog opened={help} onClose={() => setHelp(false)} />
    </div>
  );
}

/** The page's own search field when it has one, else the one in the bar. */
function focusSearch() {
  const field =
    document.querySelector<HTMLInputElement>('[data-page-search]') ??
    document.querySelector<HTMLInputElement>('[data-testid="global-search"]');
  field?.focus();
  field?.select();
}
