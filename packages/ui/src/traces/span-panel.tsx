import { Button, CloseButton, Tabs, TextInput } from '@mantine/core';
import type { KeyValue, TraceResponse } from '@signalbox/api-contract';
import { IconAlertTriangleFilled, IconFileText, IconLink } from '@tabler/icons-react';
import { Link, useNavigate } from '@tanstack/react-router';
import { useState } from 'react';
import { AttributeTable, LongText } from '../attributes/attribute-table.tsx';
import { filterFor } from '../data/filter-text.ts';
import { formatNanoseconds, formatRatio, formatUnixNano } from '../data/format.ts';
import { type SpanTab, spanTabs, type TraceSearch } from '../data/url-state.ts';
import type { WaterfallNode } from '../data/waterfall.ts';
import { LogList } from '../logs/log-list.tsx';
import { CopyButton } from '../shell/page-states.tsx';
import { ServiceLabel } from '../shell/service-label.tsx';
import { useSearchState } from '../shell/use-search-state.ts';
import { SpanEvents } from './span-events.tsx';
import styles from './span-panel.module.css';

interface Props {
  node: WaterfallNode;
  trace: TraceResponse;
  /** How long the trace waited for this span itself. */
  criticalNs: number;
  onClose: () => void;
  onSelect: (spanId: string) => void;
}

const kindWords = {
  SERVER: 'Server',
  CLIENT: 'Client',
  PRODUCER: 'Producer',
  CONSUMER: 'Consumer',
  INTERNAL: 'Internal',
  UNSPECIFIED: 'Kind not given',
};

export function SpanPanel({ node, trace, criticalNs, onClose, onSelect }: Props) {
  const { span } = node;
  const [search, update] = useSearchState<TraceSearch>();
  const [find, setFind] = useState('');
  const navigate = useNavigate();
  const tab = search.tab ?? 'attributes';
  const resource = trace.resources[span.resource]?.attributes ?? [];
  const scope = trace.scopes[span.scope];
  const error = span.status.code === 'ERROR';
  const childTime = span.durationNano > 0 ? selfTime(node) : 0;

  const filterBy = (scopeName: '' | 'resource.' | 'event.') => (attribute: KeyValue, negate: boolean) => {
    void navigate({
      to: '/traces',
      search: { filter: [filterFor(attribute.key, attribute.value, scopeName, negate)] },
    });
  };

  return (
    <aside className={styles.panel} data-testid="span-panel" aria-label={`Span ${span.name}`} tabIndex={-1}>
      <div className={styles.top}>
        <div className={styles.titleRow}>
          <h2 className={styles.title}>
            <LongText text={span.name || '(no name)'} limit={160} />
          </h2>
          <CloseButton size="sm" onClick={onClose} aria-label="Close the span (Esc)" />
        </div>
        <div className={styles.line}>
          <ServiceLabel name={span.service} />
          <span className={styles.kind}>{kindWords[span.kind]}</span>
          {error ? (
            <span className={styles.error}>
              <IconAlertTriangleFilled size={12} aria-hidden="true" /> Error
            </span>
          ) : span.status.code === 'OK' ? (
            <span className={styles.ok}>OK</span>
          ) : null}
        </div>
        {span.status.message ? (
          <p className={error ? styles.errorMessage : styles.message}>
            <LongText text={span.status.message} limit={400} />
          </p>
        ) : null}
        <div className={styles.facts}>
          <Fact label="Duration" value={formatNanoseconds(node.end - node.start)} />
          <Fact label="Self" value={formatNanoseconds(childTime)} title="Not covered by its children" />
          <Fact
            label="Critical"
            value={criticalNs > 0 ? `${formatNanoseconds(criticalNs)}` : '–'}
            title={
              criticalNs > 0
                ? `The trace waited for this span itself: ${formatRatio(criticalNs / Math.max(trace.durationNano, 1))} of it`
                : 'The trace did not wait for this span itself'
            }
          />
          <Fact
            label="Start"
            value={`+${formatNanoseconds(node.start)}`}
            title={formatUnixNano(span.startTimeUnixNano)}
          />
        </div>
        <div className={styles.actions}>
          <Button
            size="compact-xs"
            variant="light"
            leftSection={<IconFileText size={13} />}
            data-testid="span-logs"
            onClick={() => update({ tab: 'logs' }, { replace: true })}
          >
            Logs of this span
          </Button>
          <Button
            size="compact-xs"
            variant="subtle"
            color="gray"
            onClick={() => void navigate({ to: '/traces', search: { service: span.service, operation: span.name } })}
          >
            Traces like this
          </Button>
          {span.parentSpanId && !node.parentMissing ? (
            <Button size="compact-xs" variant="subtle" color="gray" onClick={() => onSelect(span.parentSpanId)}>
              Parent
            </Button>
          ) : null}
        </div>
      </div>
      <Tabs
        value={tab}
        onChange={(value) => {
          const next = spanTabs.find((one) => one === value);
          update({ tab: next === 'attributes' ? undefined : next }, { replace: true });
        }}
        keepMounted={false}
        className={styles.tabs}
      >
        <Tabs.List className={styles.tabList}>
          <SpanTabButton value="attributes" label="Attributes" count={span.attributes.length} />
          <SpanTabButton
            value="events"
            label="Events"
            count={span.events.length}
            alert={span.events.some(({ name }) => name === 'exception')}
          />
          <SpanTabButton value="links" label="Links" count={span.links.length} />
          <SpanTabButton value="process" label="Process" />
          <SpanTabButton value="logs" label="Logs" />
        </Tabs.List>
        <Tabs.Panel value="attributes" className={styles.tab}>
          {span.attributes.length > 12 ? (
            <TextInput
              size="xs"
              placeholder="Find an attribute"
              aria-label="Find an attribute"
              value={find}
              onChange={(event) => setFind(event.currentTarget.value)}
              mb={6}
            />
          ) : null}
          <AttributeTable
            attributes={span.attributes}
            dropped={span.droppedAttributesCount}
            onFilter={filterBy('')}
            find={find}
          />
          <h3 className={styles.sub}>Span</h3>
          <dl className={styles.ids}>
            <dt>Span id</dt>
            <dd className="mono">
              {span.spanId} <CopyButton text={span.spanId} label="Copy the span id" />
            </dd>
            <dt>Parent</dt>
            <dd className="mono">
              {span.parentSpanId
                ? `${span.parentSpanId}${node.parentMissing ? ' (did not arrive)' : ''}`
                : 'none: a root'}
            </dd>
            <dt>Start</dt>
            <dd className="mono">{formatUnixNano(span.startTimeUnixNano)}</dd>
            <dt>End</dt>
            <dd className="mono">{formatUnixNano(span.endTimeUnixNano)}</dd>
            {span.traceState ? (
              <>
                <dt>Trace state</dt>
                <dd className="mono">{span.traceState}</dd>
              </>
            ) : null}
          </dl>
        </Tabs.Panel>
        <Tabs.Panel value="events" className={styles.tab}>
          <SpanEvents span={span} onFilter={filterBy('event.')} />
        </Tabs.Panel>
        <Tabs.Panel value="links" className={styles.tab}>
          {span.links.length === 0 ? <p className="muted">This span links to no other.</p> : null}
          {span.links.map((link, index) => (
            <div key={`${link.traceId}${link.spanId}${String(index)}`} className={styles.link}>
              <Link
                to="/traces/$traceId"
                params={{ traceId: link.traceId }}
                search={{ span: link.spanId }}
                className="row"
              >
                <IconLink size={14} aria-hidden="true" />
                <span className="mono truncate">
                  {link.traceId === span.traceId ? 'This trace' : link.traceId} / {link.spanId}
                </span>
              </Link>
              <AttributeTable attributes={link.attributes} />
            </div>
          ))}
          {span.droppedLinksCount > 0 ? (
            <p className="muted">{span.droppedLinksCount} more were dropped by the SDK's limits</p>
          ) : null}
        </Tabs.Panel>
        <Tabs.Panel value="process" className={styles.tab}>
          <h3 className={styles.sub}>Resource</h3>
          <AttributeTable attributes={resource} onFilter={filterBy('resource.')} />
          <h3 className={styles.sub}>Instrumentation scope</h3>
          <p className="mono" style={{ margin: 0 }}>
            {scope?.name ? `${scope.name}${scope.version ? ` ${scope.version}` : ''}` : 'not given'}
          </p>
        </Tabs.Panel>
        <Tabs.Panel value="logs" className={styles.logs}>
          <LogList
            traceId={span.traceId}
            spanId={span.spanId}
            onWhole={trace.logCount > 0 ? () => update({ view: 'logs' }) : undefined}
          />
        </Tabs.Panel>
      </Tabs>
    </aside>
  );
}

function SpanTabButton({
  value,
  label,
  count,
  alert = false,
}: {
  value: SpanTab;
  label: string;
  count?: number;
  alert?: boolean;
}) {
  return (
    <Tabs.Tab value={value} className={styles.tabButton}>
      {label}
      {count !== undefined && count > 0 ? (
        <span className={styles.count} data-alert={alert || undefined}>
          {count}
        </span>
      ) : null}
    </Tabs.Tab>
  );
}

function Fact({ label, value, title }: { label: string; value: string; title?: string }) {
  return (
    <div className={styles.fact} title={title}>
      <span className={styles.factLabel}>{label}</span>
      <span className={styles.factValue}>{value}</span>
    </div>
  );
}

/** Nanoseconds in which no child ran. */
function selfTime(node: WaterfallNode): number {
  let covered = 0;
  let until = node.start;
  for (const child of node.children) {
    const start = Math.max(child.start, until);
    const end = Math.min(child.end, node.end);
    if (end > start) {
      covered += end - start;
      until = end;
    }
  }
  return Math.max(0, node.end - node.start - covered);
}
