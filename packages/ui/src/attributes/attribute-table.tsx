import { Menu } from '@mantine/core';
import type { AnyValue, KeyValue } from '@signalbox/api-contract';
import { IconDots } from '@tabler/icons-react';
import { memo, useState } from 'react';
import { type AttributeType, attributeType, printValue } from '../data/attribute-value.ts';
import { formatBytes } from '../data/format.ts';
import { copyText } from '../shell/page-states.tsx';
import styles from './attribute-table.module.css';

interface Props {
  attributes: readonly KeyValue[];
  /** How many the SDK left out. */
  dropped?: number;
  /** Offered for every attribute: find what has this value too. */
  onFilter?: ((attribute: KeyValue, negate: boolean) => void) | undefined;
  /** Only attributes whose key or value contains this. */
  find?: string;
}

/** Attributes by key, each drawn as the type it was sent with. Everything is text: nothing here is ever markup. */
export const AttributeTable = memo(function AttributeTable({ attributes, dropped = 0, onFilter, find = '' }: Props) {
  const wanted = find.trim().toLowerCase();
  const shown = [...attributes]
    .filter(
      ({ key, value }) =>
        !wanted || key.toLowerCase().includes(wanted) || printValue(value).toLowerCase().includes(wanted),
    )
    .sort((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0));
  if (shown.length === 0 && dropped === 0)
    return <p className={styles.none}>{wanted ? 'Nothing matches' : 'No attributes'}</p>;
  return (
    <dl className={styles.table}>
      {shown.map((attribute, index) => (
        <AttributeRow key={`${attribute.key}\n${String(index)}`} attribute={attribute} onFilter={onFilter} />
      ))}
      {dropped > 0 ? <div className={styles.none}>{dropped} more were dropped by the SDK's limits</div> : null}
    </dl>
  );
});

function AttributeRow({ attribute, onFilter }: { attribute: KeyValue; onFilter: Props['onFilter'] }) {
  const { key, value } = attribute;
  const text = printValue(value);
  return (
    <div className={styles.row}>
      <dt className={styles.key} title={key}>
        {key}
      </dt>
      <dd className={styles.value}>
        <Value value={value} />
      </dd>
      <Menu position="bottom-end" shadow="md" width={210} withinPortal>
        <Menu.Target>
          <button type="button" className={styles.more} aria-label={`What to do with ${key}`}>
            <IconDots size={14} />
          </button>
        </Menu.Target>
        <Menu.Dropdown>
          {onFilter ? (
            <>
              <Menu.Item onClick={() => onFilter(attribute, false)}>Filter by this</Menu.Item>
              <Menu.Item onClick={() => onFilter(attribute, true)}>Filter this out</Menu.Item>
              <Menu.Divider />
            </>
          ) : null}
          <Menu.Item onClick={() => void copyText(text)}>Copy value</Menu.Item>
          <Menu.Item onClick={() => void copyText(key)}>Copy key</Menu.Item>
          {/^https?:\/\//i.test(text) && 'stringValue' in value ? (
            <Menu.Item component="a" href={text} target="_blank" rel="noopener noreferrer">
              Open link
            </Menu.Item>
          ) : null}
        </Menu.Dropdown>
      </Menu>
    </div>
  );
}

const typeNames: Partial<Record<AttributeType, string>> = { bytes: 'base64', empty: 'no value' };

function Value({ value }: { value: AnyValue }) {
  const type = attributeType(value);
  const text = printValue(value);
  return (
    <>
      <LongText text={text} className={styles[type]} />
      {type === 'string' && text === '' ? <span className={styles.tag}>empty string</span> : null}
      {typeNames[type] ? <span className={styles.tag}>{typeNames[type]}</span> : null}
    </>
  );
}

const shortLength = 600;
const longestShown = 200_000;

/** Long text is cut until asked for, and even then to what a browser can lay out. */
export function LongText({
  text,
  className,
  limit = shortLength,
}: {
  text: string;
  className?: string | undefined;
  limit?: number;
}) {
  const [open, setOpen] = useState(false);
  if (text.length <= limit * 1.25) return <span className={className}>{text}</span>;
  const shown = open ? text.slice(0, longestShown) : text.slice(0, limit);
  return (
    <>
      <span className={className}>
        {shown}
        {shown.length < text.length ? '…' : ''}
      </span>
      <button
        type="button"
        className={styles.expand}
        onClick={(event) => {
          event.stopPropagation();
          setOpen(!open);
        }}
      >
        {open ? 'Show less' : `Show all ${formatBytes(text.length)}`}
      </button>
    </>
  );
}
