import type { KeyValue, Span, SpanEvent } from '@signalbox/api-contract';
import { IconAlertTriangleFilled } from '@tabler/icons-react';
import { AttributeTable } from '../attributes/attribute-table.tsx';
import { attributeText } from '../data/attribute-value.ts';
import { formatNanoseconds, formatUnixNano } from '../data/format.ts';
import { ExceptionView } from './exception-view.tsx';
import styles from './span-events.module.css';

const exceptionKeys = ['exception.type', 'exception.message', 'exception.stacktrace'];

export function SpanEvents({
  span,
  onFilter,
}: {
  span: Span;
  onFilter: (attribute: KeyValue, negate: boolean) => void;
}) {
  if (span.events.length === 0) return <p className="muted">Nothing was recorded in this span.</p>;
  return (
    <>
      {span.events.map((event, index) => (
        <EventCard key={`${event.timeUnixNano}${String(index)}`} event={event} span={span} onFilter={onFilter} />
      ))}
      {span.droppedEventsCount > 0 ? (
        <p className="muted">{span.droppedEventsCount} more were dropped by the SDK's limits</p>
      ) : null}
    </>
  );
}

function EventCard({
  event,
  span,
  onFilter,
}: {
  event: SpanEvent;
  span: Span;
  onFilter: (attribute: KeyValue, negate: boolean) => void;
}) {
  const isException = event.name === 'exception' || event.attributes.some(({ key }) => key === 'exception.type');
  const rest = isException ? event.attributes.filter(({ key }) => !exceptionKeys.includes(key)) : event.attributes;
  const offset = Number(BigInt(event.timeUnixNano) - BigInt(span.startTimeUnixNano));
  return (
    <section className={styles.event} data-exception={isException || undefined}>
      <header className={styles.head}>
        {isException ? <IconAlertTriangleFilled size={13} className="error-text" aria-hidden="true" /> : null}
        <h3 className={styles.name}>{event.name || '(no name)'}</h3>
        <span className={styles.time} title={formatUnixNano(event.timeUnixNano)}>
          {offset < 0 ? '−' : '+'}
          {formatNanoseconds(Math.abs(offset))}
        </span>
      </header>
      {isException ? (
        <ExceptionView
          type={attributeText(event.attributes, 'exception.type')}
          message={attributeText(event.attributes, 'exception.message')}
          stack={attributeText(event.attributes, 'exception.stacktrace')}
        />
      ) : null}
      {rest.length > 0 ? (
        <AttributeTable attributes={rest} dropped={event.droppedAttributesCount} onFilter={onFilter} />
      ) : null}
    </section>
  );
}
