import type { ProcessorFactory } from '../../pipeline/component-factory.ts';
import { editingComponent } from '../editing-component.ts';
import { readAction } from './action-settings.ts';
import { resourceAttributes } from './attributes-processor.ts';

/** `resource`: changes attributes of resources. */
export const resourceFactory: ProcessorFactory = {
  kind: 'processor',
  type: 'resource',
  signals: ['traces', 'metrics', 'logs'],
  configure(settings) {
    const actions = settings.tables('attributes').map(readAction);
    if (actions.length === 0) {
      throw settings.fail('attributes', 'needs at least one action');
    }
    const edit = resourceAttributes(actions);
    return {
      mutatesData: true,
      create: (_, next) => editingComponent({ traces: edit, metrics: edit, logs: edit }, next),
    };
  },
};
