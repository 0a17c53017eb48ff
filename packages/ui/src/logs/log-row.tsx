import { Button } from '@mantine/core';
import type { KeyValue, LogRecord, Severity } from '@signalbox/api-contract';
import { IconChevronRight } from '@tabler/icons-react';
import { useNavigate } from '@tanstack/react-router';
import { memo, useState } from 'react';
import { AttributeTable, LongText } from '../attributes/attribute-table.tsx';
import { attributeText, attributeType, printShort, printValue } from '../data/attribute-value.ts';
import { formatClock, formatDay, formatUnixNano, unixNanoToMs } from '../data/format.ts';
import { CopyButton } from '../shell/page-states.tsx';
import { ServiceLabel } from '../shell/service-label.tsx';
import { ExceptionView } from '../traces/exception-view.tsx';
import styles from './log-row.module.css';

interface Props {
  log: LogRecord;
  /** Within a trace: no button that opens the trace. */
  inTrace?: boolean;
  /** Opened and closed from outside, by the record's id; without it the row keeps that itself. */
  open?: boolean;
  onToggle?: (id: string) => void;
  selected?: boolean;
  onFilter?: ((attribute: KeyValue, scope: '' | 'resource.', negate: boolean) => void) | undefined;
}

const severityWords: Record<Severity, string> = {
  FATAL: 'FATAL',
  ERROR: 'ERROR',
  WARN: 'WARN',
  INFO: 'INFO',
  DEBUG: 'DEBUG',
  TRACE: 'TRACE',
  UNSPECIFIED: '–',
};

export const LogRow = memo(function LogRow({
  log,
  inTrace = false,
  open: openOutside,
  onToggle,
  selected = false,
  onFilter,
}: Props) {
  const [openInside, setOpenInside] = useState(false);
  const open = openOutside ?? openInside;
  const toggle = () => (onToggle ? onToggle(log.id) : setOpenInside(!openInside));
  const milliseconds = unixNanoToMs(log.timeUnixNano);
  return (
    <div
      className={styles.row}
      data-testid="log-row"
      data-severity={log.severity}
      data-open={open || undefined}
      data-selected={selected || undefined}
      data-in-trace={inTrace || undefined}
    >
      <button type="button" className={styles.line} aria-expanded={open} onClick={toggle}>
        <IconChevronRight size={12} stroke={2.2} className={styles.chevron} aria-hidden="true" />
        <span className={styles.time} title={formatUnixNano(log.timeUnixNano)}>
          {inTrace ? null : <span className={styles.day}>{formatDay(milliseconds)} </span>}
          {formatClock(milliseconds)}
        </span>
        <span className={styles.severity} title={log.severityText || undefined}>
          {severityWords[log.severity]}
        </span>
        <span className={styles.service}>
          <ServiceLabel name={log.service} />
        </span>
        <span className={styles.text}>
          {log.eventName ? <span className={styles.event}>{log.eventName}</span> : null}
          <span className={styles.body}>{printShort(log.body, 400)}</span>
          <Peek attributes={log.attributes} />
        </span>
      </button>
      {open ? <LogDetail log={log} inTrace={inTrace} onFilter={onFilter} /> : null}
    </div>
  );
});

/** A few attributes behind the body, so that lines of one text can be told apart. */
function Peek({ attributes }: { attributes: readonly KeyValue[] }) {
  if (attributes.length === 0) return null;
  return (
    <span className={styles.peek}>
      {attributes
        .filter(
          ({ key, value }) =>
            key !== 'exception.stacktrace' &&
            key !== 'stack' &&
            ['string', 'int', 'double', 'bool'].includes(attributeType(value)),
        )
        .slice(0, 7)
        .map(({ key, value }) => (
          <span key={key}>
            <span className={styles.peekKey}>{key.slice(0, 40)}</span>={printShort(value, 40)}
          </span>
        ))}
    </span>
  );
}

function LogDetail({ log, inTrace, onFilter }: { log: LogRecord; inTrace: boolean; onFilter: Props['onFilter'] }) {
  const navigate = useNavigate();
  const body = printValue(log.body);
  const stack = attributeText(log.attributes, 'exception.stacktrace') || attributeText(log.attributes, 'stack');
  const attributes = stack
    ? log.attributes.filter(
        ({ key }) => !['exception.stacktrace', 'exception.type', 'exception.message', 'stack'].includes(key),
      )
    : log.attributes;
  const filter = (scope: '' | 'resource.') =>
    onFilter ? (attribute: KeyValue, negate: boolean) => onFilter(attribute, scope, negate) : undefined;
  return (
    <div className={styles.detail}>
      <div className={styles.actions}>
        {log.traceId && !inTrace ? (
          <Button
            size="compact-xs"
            variant="light"
            data-testid="open-trace"
            onClick={() =>
              void navigate({
                to: '/traces/$traceId',
                params: { traceId: log.traceId },
                search: { span: log.spanId || undefined },
              })
            }
          >
            Open trace
          </Button>
        ) : null}
        {log.traceId && !inTrace ? (
          <Button
            size="compact-xs"
            variant="subtle"
            color="gray"
            onClick={() => void navigate({ to: '/logs', search: { traceId: log.traceId } })}
          >
            Logs of this trace
          </Button>
        ) : null}
        <CopyButton text={body} label="Copy the body" />
        <span className="muted">
          {formatUnixNano(log.timeUnixNano)}
          {log.severityText ? `, sent as “${log.severityText}”` : ''}
        </span>
      </div>
      <div className={styles.fullBody}>
        <LongText text={body} limit={3000} />
      </div>
      {stack ? (
        <ExceptionView
          type={attributeText(log.attributes, 'exception.type')}
          message={attributeText(log.attributes, 'exception.message')}
          stack={stack}
        />
      ) : null}
      <div className={styles.columns}>
        <section>
          <h3 className="section-title">Attributes</h3>
          <AttributeTable attributes={attributes} onFilter={filter('')} />
        </section>
        <section>
          <h3 className="section-title">
            Resource{log.scope.name ? <span className="muted"> · scope {log.scope.name}</span> : null}
          </h3>
          <AttributeTable attributes={log.resourceAttributes} onFilter={filter('resource.')} />
        </section>
      </div>
    </div>
  );
}
