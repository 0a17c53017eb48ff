/** Type and name of `otlp/tempo`: letters, digits and `_`, then, if there are several of the type, what tells them apart. */
const ID = /^([A-Za-z][A-Za-z0-9_]{0,62})(?:\/[^\p{Z}\p{C}\p{S}]{1,1024})?$/u;

/** The type in a component's id, `otlp` of `otlp/tempo`; null when it is no id. */
export function componentType(id: string): string | null {
  return ID.exec(id)?.[1] ?? null;
}
