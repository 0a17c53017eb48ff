// Runs in the sandbox of workflows: bundled by itself as `temporal-workflow.cjs`, which the worker takes into the bundle of the
// application's workflows. It must not change what a workflow does, now or in a replay: it draws no random numbers, sets no
// timers, and delays nothing.
import { SpanKind } from '@opentelemetry/api';
import { type WorkflowInterceptors, workflowInfo } from '@temporalio/workflow';
import { compositeOf } from '../../propagation/propagator-from-environment.ts';
import { nexusOperationKey, nexusServiceKey, updateIdKey, type WantedSpans } from '../workflow-span.ts';
import { WorkflowObserver } from './workflow-observer.ts';

/** What stands behind the `?` where the worker asks for this module: webpack puts it here. */
declare const __resourceQuery: string;

/** The worker calls it, by this name, once for each run of a workflow. */
export function interceptors(): WorkflowInterceptors {
  const query = new URLSearchParams(__resourceQuery);
  const names = query.get('propagators') ?? '';
  const propagator = compositeOf(names === '' ? [] : names.split(','), () => {});
  const wanted = (query.get('spans') ?? 'sampled') as WantedSpans;
  const info = workflowInfo();
  const observer = new WorkflowObserver(info, propagator, wanted);
  const { SERVER, INTERNAL } = SpanKind;
  let signals = 0;
  let queries = 0;
  return {
    inbound: [
      {
        execute: (input, next) => observer.run(input.headers, () => next(input)),
        handleSignal(input, next) {
          signals += 1;
          const work = { name: `HandleSignal:${input.signalName}`, kind: SERVER, key: `signal/${signals}` };
          return observer.follow(observer.asked(work, input.headers), () => next(input));
        },
        handleQuery(input, next) {
          queries += 1;
          // Replays know nothing of queries: the ids of later ones must not repeat those of earlier ones.
          const key = `query/${Date.now()}/${queries}`;
          const work = { name: `HandleQuery:${input.queryName}`, kind: SERVER, key };
          return observer.follow(observer.asked(work, input.headers), () => next(input));
        },
        handleUpdate(input, next) {
          const attributes = { [updateIdKey]: input.updateId };
          const work = {
            name: `HandleUpdate:${input.name}`,
            kind: SERVER,
            key: `update/${input.updateId}`,
            attributes,
          };
          return observer.follow(observer.asked(work, input.headers), () => next(input));
        },
        validateUpdate(input, next) {
          const attributes = { [updateIdKey]: input.updateId };
          const key = `validate/${input.updateId}`;
          const work = { name: `ValidateUpdate:${input.name}`, kind: INTERNAL, key, attributes };
          const begun = observer.asked(work, input.headers);
          if (begun === undefined) return next(input);
          try {
            observer.inside(begun, () => next(input));
          } catch (error) {
            observer.end(begun, { error });
            throw error;
          }
          observer.end(begun);
        },
      },
    ],
    outbound: [
      {
        scheduleActivity(input, next) {
          const name = `StartActivity:${input.activityType}`;
          const { begun, carrying } = observer.asking(input, name, `activity/${input.seq}`);
          return observer.follow(begun, () => next(carrying));
        },
        scheduleLocalActivity(input, next) {
          const name = `StartActivity:${input.activityType}`;
          const { begun, carrying } = observer.asking(input, name, `activity/${input.seq}/${input.attempt}`);
          return observer.follow(begun, () => next(carrying));
        },
        startChildWorkflowExecution(input, next) {
          const name = `StartChildWorkflow:${input.workflowType}`;
          const { begun, carrying } = observer.asking(input, name, `child/${input.seq}`);
          if (begun === undefined) return next(carrying);
          const result = observer.inside(begun, () => next(carrying));
          // It may run for days, and without its parent: the span is over when it has started.
          const fail = (error: unknown): void => observer.end(begun, { error });
          result.then(([started]) => started.then(() => observer.end(begun), fail), fail);
          return result;
        },
        startNexusOperation(input, next) {
          const { service, operation } = input;
          const { begun, carrying } = observer.askingOverHttp(input, {
            name: `StartNexusOperation:${service}/${operation}`,
            key: `nexus/${input.seq}`,
            attributes: { [nexusServiceKey]: service, [nexusOperationKey]: operation },
          });
          // It is over when the operation has started, as with a child: what goes on may take days.
          return observer.follow(begun, () => next(carrying));
        },
        signalWorkflow(input, next) {
          const name = `SignalWorkflow:${input.signalName}`;
          const { begun, carrying } = observer.asking(input, name, `external/${input.seq}`);
          return observer.follow(begun, () => next(carrying));
        },
        continueAsNew: (input, next) => next(observer.continuing(input)),
        getLogAttributes(input, next) {
          const active = observer.spanContext();
          if (active === undefined) return next(input);
          const { traceId, spanId, traceFlags } = active;
          return next({ trace_id: traceId, span_id: spanId, trace_flags: `0${traceFlags.toString(16)}`, ...input });
        },
      },
    ],
    internals: [
      {
        dispose(input, next) {
          observer.dispose();
          return next(input);
        },
      },
    ],
  };
}
