import type { ProcessorFactory } from '../../pipeline/component-factory.ts';
import { editingComponent } from '../editing-component.ts';
import { readMatcher } from '../match/match-settings.ts';
import { chosenBy, logMatcher, pointMatcher, spanMatcher } from '../match/record-matcher.ts';
import { readAction } from './action-settings.ts';
import { logAttributes, pointAttributes, spanAttributes } from './attributes-processor.ts';

/** `attributes`: changes attributes of spans, log records and points. */
export const attributesFactory: ProcessorFactory = {
  kind: 'processor',
  type: 'attributes',
  signals: ['traces', 'metrics', 'logs'],
  configure(settings) {
    const actions = settings.tables('actions').map(readAction);
    if (actions.length === 0) {
      throw settings.fail('actions', 'needs at least one action');
    }
    const include = settings.optionalTable('include');
    const exclude = settings.optionalTable('exclude');
    const edits = {
      traces: spanAttributes(actions, chosenBy(readMatcher(include, spanMatcher), readMatcher(exclude, spanMatcher))),
      logs: logAttributes(actions, chosenBy(readMatcher(include, logMatcher), readMatcher(exclude, logMatcher))),
      metrics: pointAttributes(
        actions,
        chosenBy(readMatcher(include, pointMatcher), readMatcher(exclude, pointMatcher)),
      ),
    };
    return { mutatesData: true, create: (_, next) => editingComponent(edits, next) };
  },
};
