import {
  createRootRoute,
  createRoute,
  createRouter,
  lazyRouteComponent,
  redirect,
  retainSearchParams,
} from '@tanstack/react-router';
import {
  parseLogsSearch,
  parseMetricsSearch,
  parseSearch,
  parseServiceSearch,
  parseServicesSearch,
  parseTimeSearch,
  parseTraceSearch,
  parseTracesSearch,
  printSearch,
} from './data/url-state.ts';
import { AppShell } from './shell/app-shell.tsx';
import { NotFoundPage } from './shell/not-found-page.tsx';
import { PageError, PagePending } from './shell/page-states.tsx';

const root = createRootRoute({
  component: AppShell,
  notFoundComponent: NotFoundPage,
  validateSearch: parseTimeSearch,
  // The time range and the refresh interval go along to every page.
  search: { middlewares: [retainSearchParams(['from', 'to', 'refresh'])] },
});

const home = createRoute({
  getParentRoute: () => root,
  path: '/',
  beforeLoad: () => {
    throw redirect({ to: '/services', replace: true });
  },
});

const services = createRoute({
  getParentRoute: () => root,
  path: '/services',
  validateSearch: parseServicesSearch,
  component: lazyRouteComponent(() => import('./services/services-page.tsx'), 'ServicesPage'),
});

const service = createRoute({
  getParentRoute: () => root,
  path: '/services/$service',
  validateSearch: parseServiceSearch,
  component: lazyRouteComponent(() => import('./services/service-page.tsx'), 'ServicePage'),
});

const traces = createRoute({
  getParentRoute: () => root,
  path: '/traces',
  validateSearch: parseTracesSearch,
  component: lazyRouteComponent(() => import('./traces/traces-page.tsx'), 'TracesPage'),
});

const trace = createRoute({
  getParentRoute: () => root,
  path: '/traces/$traceId',
  validateSearch: parseTraceSearch,
  component: lazyRouteComponent(() => import('./traces/trace-page.tsx'), 'TracePage'),
});

const logs = createRoute({
  getParentRoute: () => root,
  path: '/logs',
  validateSearch: parseLogsSearch,
  component: lazyRouteComponent(() => import('./logs/logs-page.tsx'), 'LogsPage'),
});

const metrics = createRoute({
  getParentRoute: () => root,
  path: '/metrics',
  validateSearch: parseMetricsSearch,
  component: lazyRouteComponent(() => import('./metrics/metrics-page.tsx'), 'MetricsPage'),
});

const status = createRoute({
  getParentRoute: () => root,
  path: '/status',
  component: lazyRouteComponent(() => import('./shell/status-page.tsx'), 'StatusPage'),
});

export const router = createRouter({
  routeTree: root.addChildren([home, services, service, traces, trace, logs, metrics, status]),
  parseSearch,
  stringifySearch: printSearch,
  defaultPreload: 'intent',
  defaultPendingComponent: PagePending,
  defaultErrorComponent: PageError,
  defaultPendingMs: 150,
  scrollRestoration: false,
});

declare module '@tanstack/react-router' {
  interface Register {
    router: typeof router;
  }
}
