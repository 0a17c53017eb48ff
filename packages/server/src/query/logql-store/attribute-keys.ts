/** What stands for `_` in a label's name may have been one of these in the attribute's. */
const SEPARATORS = ['_', '.', '-', '/', ':', ' ', '@'];
const MAX_SEPARATORS = 2;

/** Attributes whose name as a label would be this one; undefined: too many to ask for. */
export function attributeKeys(label: string): readonly string[] | undefined {
  const parts = label.split('_');
  if (parts.length - 1 > MAX_SEPARATORS) return undefined;
  const [first = '', ...rest] = parts;
  return rest.reduce(
    (names, part) => names.flatMap((name) => SEPARATORS.map((separator) => name + separator + part)),
    [first],
  );
}

/** Whether a record has one of some attributes. @param keys a parameter, an array of them */
export function hasAnyAttribute(keys: string): string {
  const types = ['string', 'int', 'double', 'bool', 'other'];
  return `(${types.map((type) => `hasAny(attributes_${type}.keys::Array(String), ${keys})`).join(' OR ')})`;
}
