/** A subscription of MQTT, with the group that shares it (https://docs.oasis-open.org/mqtt/mqtt/v5.0/, section 4.8.2). */
export interface MqttFilter {
  /** What is subscribed to, without the group. */
  readonly pattern: string;
  readonly group: string | undefined;
}

export function parseFilter(filter: string): MqttFilter {
  const shared = /^\$share\/([^/]+)\/(.+)$/s.exec(filter);
  return shared?.[2] === undefined ? { pattern: filter, group: undefined } : { pattern: shared[2], group: shared[1] };
}

/** Whether a topic is one of those that the pattern stands for; section 4.7 of the same. */
export function matchesTopic(pattern: string, topic: string): boolean {
  const [levels, names] = [pattern.split('/'), topic.split('/')];
  // What the broker says of itself is not meant by wildcards at the beginning.
  if (topic.startsWith('$') && levels[0] !== names[0]) return false;
  for (const [index, level] of levels.entries()) {
    // It stands for the parent as well.
    if (level === '#') return true;
    if (index >= names.length || (level !== '+' && level !== names[index])) return false;
  }
  return levels.length === names.length;
}
