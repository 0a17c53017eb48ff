import { listFieldValues } from '../../query/fields/list-field-values.ts';
import { listFields } from '../../query/fields/list-fields.ts';
import { get, type Route } from '../route.ts';

const signals = ['spans', 'logs'] as const;

export const fieldRoutes: readonly Route[] = [
  get('fields', ({ parameters, context }) => {
    const request = {
      signal: parameters.oneOf('signal', signals) ?? 'spans',
      range: parameters.range(),
      prefix: parameters.optional('prefix') ?? '',
    };
    parameters.finish();
    return listFields(context, request);
  }),
  get('fields/values', ({ parameters, context }) => {
    const request = {
      signal: parameters.oneOf('signal', signals) ?? 'spans',
      key: parameters.required('key'),
      range: parameters.range(),
      prefix: parameters.optional('prefix') ?? '',
    };
    parameters.finish();
    return listFieldValues(context, request);
  }),
];
