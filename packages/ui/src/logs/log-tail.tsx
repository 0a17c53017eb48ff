import { Button } from '@mantine/core';
import type { KeyValue, LogRecord } from '@signalbox/api-contract';
import { IconPlayerPause, IconPlayerPlay, IconTrash } from '@tabler/icons-react';
import { useEffect, useRef, useState } from 'react';
import { apiUrl } from '../data/api-client.ts';
import { formatCount } from '../data/format.ts';
import { type LogsSearch, logParameters } from '../data/url-state.ts';
import { EmptyState } from '../shell/page-states.tsx';
import { useSearchState } from '../shell/use-search-state.ts';
import styles from './logs-page.module.css';
import { VirtualLogs } from './virtual-logs.tsx';

/** What a browser keeps of an endless stream. */
const kept = 10_000;

/** Records as they arrive, newest first. Pausing holds them back without losing any that still fit. */
export function LogTail({
  onFilter,
}: {
  onFilter: (attribute: KeyValue, scope: '' | 'resource.', negate: boolean) => void;
}) {
  const [search] = useSearchState<LogsSearch>();
  const [open, setOpen] = useState<string>();
  const [paused, setPaused] = useState(false);
  const url = apiUrl('logs/tail', logParameters(search));
  const { logs, waiting, dropped, connected, clear } = useTail(url, paused || open !== undefined);
  return (
    <>
      <div className={styles.tailBar} aria-live="polite">
        <Button
          size="compact-xs"
          variant="default"
          leftSection={paused ? <IconPlayerPlay size={13} /> : <IconPlayerPause size={13} />}
          onClick={() => setPaused(!paused)}
          data-testid="tail-pause"
        >
          {paused ? 'Resume' : 'Pause'}
        </Button>
        <Button size="compact-xs" variant="subtle" color="gray" leftSection={<IconTrash size={13} />} onClick={clear}>
          Clear
        </Button>
        <span className="muted">
          {connected ? `${formatCount(logs.length)} records` : 'Connecting …'}
          {waiting > 0 ? ` · ${formatCount(waiting)} held back while ${paused ? 'paused' : 'a record is open'}` : ''}
          {dropped > 0 ? ` · ${formatCount(dropped)} left out: they came faster than they could be shown` : ''}
        </span>
      </div>
      {logs.length === 0 ? (
        <EmptyState title={connected ? 'Waiting for the next record' : 'Connecting to the stream'}>
          New records that match appear here as they arrive.
        </EmptyState>
      ) : (
        <VirtualLogs logs={logs} open={open} onOpen={setOpen} onFilter={onFilter} />
      )}
    </>
  );
}

function useTail(
  url: string,
  held: boolean,
): { logs: readonly LogRecord[]; waiting: number; dropped: number; connected: boolean; clear: () => void } {
  const [logs, setLogs] = useState<readonly LogRecord[]>([]);
  const [waiting, setWaiting] = useState(0);
  const [dropped, setDropped] = useState(0);
  const [connected, setConnected] = useState(false);
  const holding = useRef(held);
  holding.current = held;
  const buffer = useRef<LogRecord[]>([]);

  useEffect(() => {
    const source = new EventSource(url);
    buffer.current = [];
    setLogs([]);
    setDropped(0);
    setWaiting(0);
    source.onopen = () => setConnected(true);
    // EventSource connects again by itself.
    source.onerror = () => setConnected(false);
    source.addEventListener('log', (event: MessageEvent<string>) => {
      buffer.current.push(JSON.parse(event.data) as LogRecord);
      if (buffer.current.length > kept)
        setDropped((before) => before + buffer.current.splice(0, buffer.current.length - kept).length);
    });
    source.addEventListener('dropped', (event: MessageEvent<string>) => {
      const { count } = JSON.parse(event.data) as { count: number };
      setDropped((before) => before + count);
    });
    // A few times a second is as often as a reader can follow; each record alone would render the list each time.
    const timer = setInterval(() => {
      if (holding.current) {
        setWaiting(buffer.current.length);
        return;
      }
      setWaiting(0);
      if (buffer.current.length === 0) return;
      const fresh = buffer.current.reverse();
      buffer.current = [];
      setLogs((before) => [...fresh, ...before].slice(0, kept));
    }, 250);
    return () => {
      clearInterval(timer);
      source.close();
    };
  }, [url]);

  const clear = () => {
    buffer.current = [];
    setLogs([]);
  };
  return { logs, waiting, dropped, connected, clear };
}
