import { SegmentedControl, TextInput } from '@mantine/core';
import type { ServicesResponse } from '@signalbox/api-contract';
import { IconSearch } from '@tabler/icons-react';
import { lazy, Suspense } from 'react';
import type { ServicesSearch } from '../data/url-state.ts';
import { ErrorState, NoDataYet, RowsSkeleton } from '../shell/page-states.tsx';
import { useApi } from '../shell/use-api.ts';
import { useSearchState } from '../shell/use-search-state.ts';
import { ServiceTable } from './service-table.tsx';
import styles from './services.module.css';

const ServiceMap = lazy(() => import('./service-map.tsx').then(({ ServiceMap }) => ({ default: ServiceMap })));

export function ServicesPage() {
  const [search, update] = useSearchState<ServicesSearch>();
  const tab = search.tab ?? 'list';
  const header = (
    <div className={styles.header}>
      <h1 className="page-title">Services</h1>
      <SegmentedControl
        size="xs"
        value={tab}
        onChange={(value) => update({ tab: value === 'map' ? 'map' : undefined })}
        data={[
          { value: 'list', label: 'List' },
          { value: 'map', label: 'Map' },
        ]}
        aria-label="Services as"
      />
      <TextInput
        size="xs"
        data-page-search
        aria-label="Services whose name contains"
        placeholder="Find a service"
        leftSection={<IconSearch size={14} stroke={1.8} />}
        value={search.search ?? ''}
        onChange={(event) => update({ search: event.currentTarget.value || undefined }, { replace: true })}
        className={styles.find}
      />
    </div>
  );
  if (tab === 'map')
    return (
      <div className="page-fixed">
        <div className={styles.fixedHeader}>{header}</div>
        <Suspense fallback={<RowsSkeleton />}>
          <ServiceMap find={search.search ?? ''} />
        </Suspense>
      </div>
    );
  return (
    <div className="page">
      <div className="page-inner">
        {header}
        <ServiceList find={search.search ?? ''} />
      </div>
    </div>
  );
}

function ServiceList({ find }: { find: string }) {
  const answer = useApi<ServicesResponse>('services');
  if (answer.isError && !answer.data)
    return <ErrorState error={answer.error} what="The services" onRetry={() => void answer.refetch()} />;
  if (!answer.data)
    return (
      <div className="card">
        <RowsSkeleton />
      </div>
    );
  if (answer.data.services.length === 0) return <NoDataYet what="services" />;
  return <ServiceTable services={answer.data.services} find={find} />;
}
