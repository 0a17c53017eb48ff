import type { StatusResponse } from '@signalbox/api-contract';
import { get, type Route } from '../route.ts';

/** @param status what the program knows of itself: only what wires it together can say. */
export function statusRoutes(status: () => Promise<StatusResponse>): readonly Route[] {
  return [
    get('status', ({ parameters }) => {
      parameters.finish();
      return status();
    }),
  ];
}
