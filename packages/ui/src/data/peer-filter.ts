import type { FilterText, NodeType } from '@signalbox/api-contract';
import { quote } from './filter-text.ts';

/** What finds the calls to a node of the map that sends no spans. Databases, caches and queues are named `system:which`. */
export function peerFilter(type: NodeType, name: string): FilterText[] {
  const colon = name.indexOf(':');
  const system = colon < 0 ? name : name.slice(0, colon);
  const which = colon < 0 ? '' : name.slice(colon + 1);
  switch (type) {
    case 'database':
      return [which ? `db.namespace = ${quote(which)}` : `db.system.name = ${quote(system)}`];
    case 'cache':
      return [which ? `server.address = ${quote(which)}` : `db.system.name = ${quote(system)}`];
    case 'messaging':
      return [which ? `messaging.destination.name = ${quote(which)}` : `messaging.system = ${quote(system)}`];
    default:
      return [`server.address = ${quote(name)}`];
  }
}
