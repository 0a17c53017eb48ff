import { ActionIcon, Button, Group, Popover, SegmentedControl, TextInput, Tooltip } from '@mantine/core';
import { IconClock, IconRefresh, IconZoomOut } from '@tabler/icons-react';
import { useIsFetching, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import {
  absoluteRange,
  describeRange,
  isLive,
  parseInstant,
  type RefreshInterval,
  refreshIntervals,
  relativeRanges,
  resolveRange,
} from '../data/time-range.ts';
import styles from './time-picker.module.css';
import { useTime } from './use-time.ts';

export function TimePicker() {
  const { range, refresh, setRange, setRefresh } = useTime();
  const [opened, setOpened] = useState(false);
  const queryClient = useQueryClient();
  const fetching = useIsFetching() > 0;

  function zoomOut() {
    const now = Date.now();
    const { startMs, endMs } = resolveRange(range, now);
    const length = endMs - startMs;
    setRange(absoluteRange(startMs - length / 2, Math.min(now, endMs + length / 2)));
  }

  return (
    <Group gap={6} wrap="nowrap">
      <Tooltip label="Zoom out: twice the time">
        <ActionIcon variant="subtle" color="gray" size={30} onClick={zoomOut} aria-label="Zoom out to twice the time">
          <IconZoomOut size={16} stroke={1.7} />
        </ActionIcon>
      </Tooltip>
      <Popover opened={opened} onChange={setOpened} position="bottom-end" width={430} trapFocus shadow="md" radius={8}>
        <Popover.Target>
          <Button
            data-testid="time-picker"
            variant="default"
            size="compact-sm"
            className={styles.button}
            leftSection={<IconClock size={15} stroke={1.7} />}
            onClick={() => setOpened((open) => !open)}
            aria-label={`Time range: ${describeRange(range, Date.now())}`}
          >
            {describeRange(range, Date.now())}
          </Button>
        </Popover.Target>
        <Popover.Dropdown p={0}>
          <div className={styles.panel}>
            <div className={styles.relative} role="listbox" aria-label="Relative ranges">
              {relativeRanges.map((text) => (
                <button
                  key={text}
                  type="button"
                  role="option"
                  aria-selected={range.from === `now-${text}` && isLive(range)}
                  className={styles.option}
                  onClick={() => {
                    setRange({ from: `now-${text}`, to: 'now' });
                    setOpened(false);
                  }}
                >
                  {describeRange({ from: `now-${text}`, to: 'now' }, 0)}
                </button>
              ))}
            </div>
            <div className={styles.absolute}>
              <AbsoluteForm
                key={`${range.from}/${range.to}`}
                onApply={(startMs, endMs) => {
                  setRange(absoluteRange(startMs, endMs));
                  setOpened(false);
                }}
              />
              <div className={styles.refresh}>
                <div className="section-title">Refresh</div>
                <SegmentedControl
                  size="xs"
                  fullWidth
                  value={refresh}
                  onChange={(value) => setRefresh(value as RefreshInterval)}
                  data={refreshIntervals.map((value) => ({ value, label: value === 'off' ? 'Off' : `Every ${value}` }))}
                  aria-label="Refresh interval"
                />
                <p className={styles.note}>
                  {isLive(range) ? 'Drag across any chart to zoom in.' : 'A range in the past is not refreshed.'}
                </p>
              </div>
            </div>
          </div>
        </Popover.Dropdown>
      </Popover>
      <Tooltip label={isLive(range) && refresh !== 'off' ? `Refreshes every ${refresh}; now` : 'Refresh now'}>
        <ActionIcon
          variant="subtle"
          color="gray"
          size={30}
          onClick={() => void queryClient.invalidateQueries()}
          aria-label="Refresh now"
          className={fetching ? styles.fetching : undefined}
        >
          <IconRefresh size={16} stroke={1.7} />
          {isLive(range) && refresh !== 'off' ? <span className={styles.live} aria-hidden="true" /> : null}
        </ActionIcon>
      </Tooltip>
    </Group>
  );
}

function AbsoluteForm({ onApply }: { onApply: (startMs: number, endMs: number) => void }) {
  const { range } = useTime();
  const resolved = resolveRange(range, Date.now());
  const [from, setFrom] = useState(() => localText(resolved.startMs));
  const [to, setTo] = useState(() => localText(resolved.endMs));
  const startMs = readLocal(from);
  const endMs = readLocal(to);
  const backwards = startMs !== null && endMs !== null && startMs >= endMs;
  return (
    <form
      className={styles.form}
      onSubmit={(event) => {
        event.preventDefault();
        if (startMs !== null && endMs !== null && !backwards) onApply(startMs, endMs);
      }}
    >
      <TextInput
        size="xs"
        label="From"
        value={from}
        onChange={(event) => setFrom(event.currentTarget.value)}
        error={startMs === null ? 'A time such as 2026-11-21 14:03:00' : null}
      />
      <TextInput
        size="xs"
        label="To"
        value={to}
        onChange={(event) => setTo(event.currentTarget.value)}
        error={endMs === null ? 'A time such as 2026-11-21 14:03:00' : backwards ? 'Must be after From' : null}
      />
      <Button type="submit" size="xs" disabled={startMs === null || endMs === null || backwards} fullWidth mt={8}>
        Show this range
      </Button>
    </form>
  );
}

function localText(ms: number): string {
  const date = new Date(ms - new Date(ms).getTimezoneOffset() * 60e3);
  return date.toISOString().slice(0, 19).replace('T', ' ');
}

/** Local time as written by `localText`; `now-2h` and RFC 3339 work too. */
function readLocal(text: string): number | null {
  const trimmed = text.trim();
  return trimmed === '' ? null : parseInstant(trimmed, Date.now());
}
