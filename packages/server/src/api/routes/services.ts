import { listOperations } from '../../query/services/list-operations.ts';
import { listServices } from '../../query/services/list-services.ts';
import { serviceMap } from '../../query/services/service-map.ts';
import { serviceRed } from '../../query/services/service-red.ts';
import { spanKinds } from '../../query/span-codes.ts';
import { get, type Route } from '../route.ts';

export const longestStepMs = 366 * 86_400_000;

export const serviceRoutes: readonly Route[] = [
  get('services', ({ parameters, context }) => {
    const range = parameters.range();
    parameters.finish();
    return listServices(context, range);
  }),
  get('services/{service}/operations', ({ path, parameters, context }) => {
    const range = parameters.range();
    parameters.finish();
    return listOperations(context, path.service ?? '', range);
  }),
  get('services/{service}/red', ({ path, parameters, context }) => {
    const kind = parameters.oneOf('kind', spanKinds);
    const request = {
      service: path.service ?? '',
      range: parameters.range(),
      operation: parameters.optional('operation'),
      kind: kind === undefined ? undefined : spanKinds.indexOf(kind),
      stepMs: parameters.integer('stepMs', 1_000, longestStepMs),
    };
    parameters.finish();
    return serviceRed(context, request);
  }),
  get('service-map', ({ parameters, context }) => {
    const range = parameters.range();
    parameters.finish();
    return serviceMap(context, range);
  }),
];
