import type { ChildProcess } from 'node:child_process';
import { basename } from 'node:path';
import { type Attributes, context } from '@opentelemetry/api';
import { contextWithSpan } from '../propagation/layered-context.ts';
import { endWith } from './ending.ts';
import { processSurface } from './process-surface.ts';
import { watchChild } from './watch-child.ts';

/**
 * A span, named `name`, for as long as a child process that `start` starts: a stage of a pipeline of programs, however they
 * are piped into each other. It is an error when the child cannot be started, ends with another code than 0, or by a signal.
 */
export function observeChild<Child extends ChildProcess>(
  name: string,
  start: () => Child,
  attributes: Attributes = {},
): Child {
  const recorder = processSurface.recorder();
  const span = recorder?.startStage(name, attributes);
  if (recorder === undefined || span === undefined) return start();
  const end = recorder.protect(endWith, () => {});
  let child: Child;
  try {
    child = context.with(contextWithSpan(context.active(), span), start);
  } catch (error) {
    end(span, { failure: { error } });
    throw error;
  }
  span.setAttribute('process.executable.name', basename(child.spawnfile));
  if (child.pid !== undefined) span.setAttribute('process.pid', child.pid);
  watchChild(child, (ending) => end(span, ending));
  return child;
}
