import { Combobox, InputBase, Pill, PillsInput, useCombobox } from '@mantine/core';
import type { FieldsResponse, FieldValuesResponse, MetricLabelValuesResponse } from '@signalbox/api-contract';
import { filterOperators } from '@signalbox/api-contract';
import { IconFilter } from '@tabler/icons-react';
import { type RefObject, useEffect, useRef, useState } from 'react';
import { ApiError } from '../data/api-client.ts';
import {
  completedValue,
  type FilterMistake,
  printKey,
  readFilter,
  refusedFilter,
  typingStage,
} from '../data/filter-text.ts';
import { formatCompact } from '../data/format.ts';
import { useApi } from '../shell/use-api.ts';
import styles from './filter-bar.module.css';
import { Underlined } from './underlined.tsx';

type Field = FieldsResponse['fields'][number];

interface Props {
  signal: 'spans' | 'logs';
  filters: readonly string[];
  onChange: (filters: string[]) => void;
  /** What was pasted or typed instead of a filter; true: dealt with. */
  onOther?: (text: string) => boolean;
  placeholder?: string;
  /** A metric's own labels, instead of the keys of spans or logs. */
  metric?: string;
  keys?: readonly string[] | undefined;
  /** Why the request with these filters failed, if it did: the filter that it names is underlined. */
  failure?: unknown;
}

/** Filters as chips; while one is typed, its key, operator and value are completed from what is stored. */
export function FilterBar({
  metric,
  keys,
  signal,
  filters,
  onChange,
  onOther,
  failure,
  placeholder = 'Filter by attribute, e.g. http.response.status_code >= 500',
}: Props) {
  const [text, setText] = useState('');
  const [focused, setFocused] = useState(false);
  const [problem, setProblem] = useState<(FilterMistake & { text: string }) | null>(null);
  const input = useRef<HTMLInputElement>(null);
  usePointAt(input, problem);
  const refused = refusedFilter(filters, failure instanceof ApiError ? failure : null);
  const combobox = useCombobox({ onDropdownClose: () => combobox.resetSelectedOption() });
  const typing = typingStage(text);
  const fields = useApi<FieldsResponse>(
    'fields',
    { signal, prefix: typing.stage === 'key' ? bare(typing.partial) : '' },
    { enabled: focused && metric === undefined, live: false },
  );
  const known: Field[] = keys
    ? keys.map((key) => ({ key, scope: signal === 'spans' ? 'span' : 'log', types: [], count: 0 }))
    : (fields.data?.fields ?? []);
  const field = known.find(({ key }) => key === bare(typing.key));
  const partialValue = typing.partial.replace(/^"|"$/g, '');
  const fieldValues = useApi<FieldValuesResponse>(
    'fields/values',
    { signal, key: bare(typing.key), prefix: partialValue },
    { enabled: focused && typing.stage === 'value' && metric === undefined, live: false },
  );
  const labelValues = useApi<MetricLabelValuesResponse>(
    'metrics/label-values',
    { name: metric, label: bare(typing.key) },
    { enabled: focused && typing.stage === 'value' && metric !== undefined, live: false },
  );
  const values: { value: string; count: number }[] =
    metric === undefined
      ? (fieldValues.data?.values ?? [])
      : (labelValues.data?.values ?? [])
          .filter((value) => value.startsWith(partialValue))
          .map((value) => ({ value, count: 0 }));

  const options = complete();

  function complete(): { text: string; label: string; note: string; done: boolean }[] {
    if (typing.stage === 'key')
      return known
        .filter(({ key }) => key.toLowerCase().includes(bare(typing.partial).toLowerCase()))
        .slice(0, 40)
        .map(({ key, scope, types, count }) => {
          const own = scope === 'span' || scope === 'log';
          const name = own ? key : `${scope}.${key}`;
          return {
            text: `${printKey(key, own ? null : scope)} `,
            label: name,
            note: count > 0 ? `${types.join(', ')} · ${formatCompact(count)}` : '',
            done: false,
          };
        });
    if (typing.stage === 'operator')
      return filterOperators
        .filter((operator) => operator.startsWith(typing.partial))
        .map((operator) => {
          const done = operator.endsWith('exists');
          return {
            text: `${typing.key} ${operator}${done ? '' : ' '}`,
            label: operator,
            note: operatorWords[operator],
            done,
          };
        });
    return values.slice(0, 40).map(({ value, count }) => ({
      text: `${typing.key} ${typing.operator} ${completedValue(value, field?.types ?? ['string'])}`,
      label: value === '' ? '(empty)' : value,
      note: count > 0 ? formatCompact(count) : '',
      done: true,
    }));
  }

  function add(candidate: string): boolean {
    const trimmed = candidate.trim();
    if (!trimmed) return false;
    if (onOther?.(trimmed)) {
      setText('');
      return true;
    }
    const read = readFilter(candidate);
    if ('mistake' in read) {
      combobox.closeDropdown();
      setProblem({ ...read.mistake, text: candidate });
      return false;
    }
    const printed = read.filter;
    if (!filters.includes(printed)) onChange([...filters, printed]);
    setText('');
    setProblem(null);
    combobox.closeDropdown();
    return true;
  }

  return (
    <Combobox
      store={combobox}
      position="bottom-start"
      width={420}
      onOptionSubmit={(index) => {
        const option = options[Number(index)];
        if (!option) return;
        if (option.done) add(option.text);
        else {
          setText(option.text);
          combobox.resetSelectedOption();
        }
      }}
    >
      <Combobox.DropdownTarget>
        <PillsInput
          size="xs"
          className={styles.bar}
          leftSection={<IconFilter size={14} stroke={1.8} />}
          error={
            problem ? (
              <span role="alert" className={styles.problem}>
                <Underlined text={problem.text} position={problem.position} />
                <span>
                  {problem.message}. Expected {problem.expected}.
                </span>
              </span>
            ) : null
          }
          onClick={() => combobox.openDropdown()}
        >
          <Pill.Group gap={4}>
            {filters.map((filter) => (
              <Pill
                key={filter}
                size="xs"
                withRemoveButton
                className={styles.pill}
                data-refused={refused?.filter === filter || undefined}
                removeButtonProps={{ 'aria-label': `Remove the filter ${filter}` }}
                onRemove={() => onChange(filters.filter((other) => other !== filter))}
              >
                <button
                  type="button"
                  className="plain"
                  title={`${filter}: click to change`}
                  onClick={() => {
                    onChange(filters.filter((other) => other !== filter));
                    setText(filter);
                  }}
                >
                  {refused?.filter === filter ? (
                    <Underlined text={filter} position={refused.position} />
                  ) : filter.length > 70 ? (
                    `${filter.slice(0, 70)}…`
                  ) : (
                    filter
                  )}
                </button>
              </Pill>
            ))}
            <Combobox.EventsTarget>
              <PillsInput.Field
                ref={input}
                aria-invalid={problem !== null}
                value={text}
                placeholder={filters.length ? 'and …' : placeholder}
                aria-label="Filter by attribute"
                spellCheck={false}
                autoComplete="off"
                onFocus={() => {
                  setFocused(true);
                  combobox.openDropdown();
                }}
                onBlur={() => {
                  combobox.closeDropdown();
                  setProblem(null);
                }}
                onPaste={(event) => {
                  const pasted = event.clipboardData.getData('text');
                  if (onOther?.(pasted.trim())) event.preventDefault();
                }}
                onChange={(event) => {
                  setText(event.currentTarget.value);
                  setProblem(null);
                  combobox.openDropdown();
                  combobox.resetSelectedOption();
                }}
                onKeyDown={(event) => {
                  if (event.key === 'Backspace' && text === '' && filters.length) {
                    event.preventDefault();
                    onChange(filters.slice(0, -1));
                  }
                  if (event.key === 'Enter' && combobox.getSelectedOptionIndex() === -1) {
                    event.preventDefault();
                    add(text);
                  }
                }}
              />
            </Combobox.EventsTarget>
          </Pill.Group>
        </PillsInput>
      </Combobox.DropdownTarget>
      <Combobox.Dropdown hidden={options.length === 0}>
        <Combobox.Options mah={280} style={{ overflowY: 'auto' }}>
          {options.map((option, index) => (
            <Combobox.Option value={String(index)} key={option.text} className={styles.option}>
              <span className="mono truncate">{option.label}</span>
              <span className={styles.note}>{option.note}</span>
            </Combobox.Option>
          ))}
        </Combobox.Options>
      </Combobox.Dropdown>
    </Combobox>
  );
}

function bare(key: string): string {
  return key.replace(/^(resource|scope|span|log|event)\./, '').replace(/^"|"$/g, '');
}

/** Selects what is wrong, so that typing replaces it. */
function usePointAt(input: RefObject<HTMLInputElement | null>, problem: FilterMistake | null): void {
  useEffect(() => {
    if (problem) input.current?.setSelectionRange(problem.position.start, problem.position.end);
  }, [input, problem]);
}

const operatorWords: Record<(typeof filterOperators)[number], string> = {
  '=': 'is',
  '!=': 'is not',
  '<': 'less than',
  '<=': 'at most',
  '>': 'more than',
  '>=': 'at least',
  '=~': 'matches the whole pattern',
  '!~': 'does not match',
  exists: 'is there',
  '!exists': 'is not there',
};

/** A field with completion of plain values: services, operations. */
export function ValueField({
  label,
  value,
  values,
  onChange,
  width,
}: {
  label: string;
  value: string;
  values: readonly string[];
  onChange: (value: string | undefined) => void;
  width: number | string;
}) {
  const combobox = useCombobox({ onDropdownClose: () => combobox.resetSelectedOption() });
  const [typed, setTyped] = useState<string | null>(null);
  const shown = typed ?? value;
  const options = values
    .filter((one) => typed === null || one.toLowerCase().includes(typed.toLowerCase()))
    .slice(0, 100);
  const choose = (next: string) => {
    onChange(next.trim() || undefined);
    setTyped(null);
    combobox.closeDropdown();
  };
  return (
    <Combobox store={combobox} onOptionSubmit={choose} position="bottom-start" width="max-content">
      <Combobox.Target>
        <InputBase
          size="xs"
          w={width}
          aria-label={label}
          placeholder={`Any ${label.toLowerCase()}`}
          value={shown}
          spellCheck={false}
          data-set={value ? true : undefined}
          className={styles.valueField}
          rightSection={
            value ? (
              <Combobox.ClearButton onClear={() => choose('')} size="xs" aria-label={`Any ${label.toLowerCase()}`} />
            ) : (
              <Combobox.Chevron size="xs" />
            )
          }
          rightSectionPointerEvents={value ? 'all' : 'none'}
          onFocus={(event) => {
            combobox.openDropdown();
            event.currentTarget.select();
          }}
          onClick={() => combobox.openDropdown()}
          onBlur={() => {
            combobox.closeDropdown();
            if (typed !== null) choose(typed);
          }}
          onChange={(event) => {
            setTyped(event.currentTarget.value);
            combobox.openDropdown();
            combobox.selectFirstOption();
          }}
          onKeyDown={(event) => {
            if (event.key === 'Enter' && combobox.getSelectedOptionIndex() === -1 && typed !== null) choose(typed);
            if (event.key === 'Escape') setTyped(null);
          }}
        />
      </Combobox.Target>
      <Combobox.Dropdown hidden={options.length === 0} miw={180} maw={480}>
        <Combobox.Options mah={300} style={{ overflowY: 'auto' }}>
          {options.map((one) => (
            <Combobox.Option value={one} key={one} active={one === value}>
              {one}
            </Combobox.Option>
          ))}
        </Combobox.Options>
      </Combobox.Dropdown>
    </Combobox>
  );
}
