import type { AnyFunction } from '../functions/traced.ts';
import { observeCall } from '../surfaces/operation.ts';
import { jobSurface } from './job-surface.ts';

/**
 * A function for a scheduler (node-cron, `setInterval`, Bree, the application's own): each run is a trace of its own, named
 * `name`, and is counted and timed until `fn` returns or its promise is settled. What `fn` throws is recorded and thrown on.
 */
export function scheduledJob<Fn extends AnyFunction>(name: string, fn: Fn): Fn {
  return new Proxy(fn, {
    apply: (_, self: unknown, args: Parameters<Fn>): unknown =>
      observeCall(jobSurface.recorder()?.begin(name), () => Reflect.apply(fn, self, args)),
  });
}
