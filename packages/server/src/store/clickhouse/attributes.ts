/**
 * How attributes lie in columns, and the SQL that finds them. Nothing outside of this file and the encoder knows.
 *
 * A prefix p has `p_string`, `p_int`, `p_double`, `p_bool` (maps from key to value of that type) and `p_other` (OTLP/JSON
 * AnyValue text of arrays, key-value lists, bytes and empty values). A key is in exactly one of them, once per type.
 *
 * Every function takes the key as SQL, which must be a parameter like `{key0:String}`: never the key's own text.
 */

/** `attributes` of spans, logs and series; `resource` of the table `resources`, which others reach by `resource_id`. */
export type AttributePrefix = 'attributes' | 'resource';

/** Value of a string attribute (`String`); '' when it is absent or of another type. */
export function attributeString(prefix: AttributePrefix, key: string): string {
  return `${prefix}_string[${key}]`;
}

/** Value of an int or double attribute (`Nullable(Float64)`); NULL when it is absent or of another type. */
export function attributeNumber(prefix: AttributePrefix, key: string): string {
  return `multiIf(${hasKey(prefix, 'int', key)}, toFloat64(${prefix}_int[${key}]), ${hasKey(prefix, 'double', key)}, ${prefix}_double[${key}], NULL)`;
}

/** Value of an int attribute (`Nullable(Int64)`), exact beyond 2^53; NULL when it is absent or of another type. */
export function attributeInt(prefix: AttributePrefix, key: string): string {
  return `if(${hasKey(prefix, 'int', key)}, ${prefix}_int[${key}], NULL)`;
}

/** Value of a bool attribute (`Nullable(UInt8)`); NULL when it is absent or of another type. */
export function attributeBool(prefix: AttributePrefix, key: string): string {
  return `if(${hasKey(prefix, 'bool', key)}, ${prefix}_bool[${key}], NULL)`;
}

/** Whether there is a string attribute of that key (`UInt8`). */
export function attributeIsString(prefix: AttributePrefix, key: string): string {
  return hasKey(prefix, 'string', key);
}

/** Whether there is an attribute of that key, of any type (`UInt8`). */
export function attributeExists(prefix: AttributePrefix, key: string): string {
  return `(${COLUMN_TYPES.map((type) => hasKey(prefix, type, key)).join(' OR ')})`;
}

/** Value of any type as text (`String`), bools as `true` and `false`, composite ones as OTLP/JSON; '' when it is absent. */
export function attributeText(prefix: AttributePrefix, key: string): string {
  return `multiIf(${hasKey(prefix, 'string', key)}, ${prefix}_string[${key}], ${hasKey(prefix, 'int', key)}, toString(${prefix}_int[${key}]), ${hasKey(prefix, 'double', key)}, toString(${prefix}_double[${key}]), ${hasKey(prefix, 'bool', key)}, if(${prefix}_bool[${key}] = 1, 'true', 'false'), ${prefix}_other[${key}])`;
}

/**
 * Value of any type with its type as first letter (`String`): `s` string, `i` int, `d` double, `b` bool (`b0`, `b1`), `o`
 * OTLP/JSON of what is composite; '' when it is absent. `readTagged` reads it.
 * @param isScalar the attribute is known never to be composite: one column less is read
 */
export function attributeTagged(prefix: AttributePrefix, key: string, isScalar = false): string {
  const cases = COLUMN_TYPES.filter((type) => !isScalar || type !== 'other').map(
    (type) => `${hasKey(prefix, type, key)}, concat('${type[0]}', toString(${prefix}_${type}[${key}]))`,
  );
  return `multiIf(${cases.join(', ')}, '')`;
}

/** All attributes of a row of scalar types as (key, value) (`Array(Tuple(String, String))`), values as `attributeTagged` has them. */
export function attributeTaggedPairs(prefix: AttributePrefix): string {
  const lists = COLUMN_TYPES.filter((type) => type !== 'other').map(
    (type) =>
      `arrayMap((k, v) -> (toString(k), concat('${type[0]}', toString(v))), ${prefix}_${type}.keys, ${prefix}_${type}.values)`,
  );
  return `arrayConcat(${lists.join(', ')})`;
}

/** What `attributeTagged` gave, as `readAttributes` gives it but for its key; undefined: absent. Doubles are text. */
export function readTagged(cell: string): { readonly type: ReadAttribute['type']; readonly value: string } | undefined {
  const type = COLUMN_TYPES.find((candidate) => candidate[0] === cell[0]);
  return type === undefined ? undefined : { type, value: cell.slice(1) };
}

/** Whether there is an attribute of that key and of that type (`UInt8`). */
export function attributeHasType(prefix: AttributePrefix, type: ReadAttribute['type'], key: string): string {
  return hasKey(prefix, type, key);
}

/** Value of an attribute of that type, of the type's default where it is absent or of another. */
export function attributeOfType(prefix: AttributePrefix, type: ReadAttribute['type'], key: string): string {
  return `${prefix}_${type}[${key}]`;
}

/** All keys of a row (`Array(String)`), for lists of what can be asked. */
export function attributeKeys(prefix: AttributePrefix): string {
  return `arrayConcat(${COLUMN_TYPES.map((type) => `${prefix}_${type}.keys::Array(String)`).join(', ')})`;
}

/** All keys of a row with their types (`Array(Tuple(String, String))`), types as in `ReadAttribute`. */
export function attributeKeyTypes(prefix: AttributePrefix): string {
  return `arrayConcat(${COLUMN_TYPES.map((type) => `arrayMap(key -> (key, '${type}'), ${prefix}_${type}.keys::Array(String))`).join(', ')})`;
}

/** The columns that hold all attributes of a row, in the order that `readAttributes` wants their cells. */
export function attributeColumns(prefix: AttributePrefix): readonly string[] {
  return COLUMN_TYPES.map((type) => `${prefix}_${type}`);
}

/** An attribute as a reader shows it. `other`: `value` is OTLP/JSON AnyValue text. Ints are decimal text, doubles numbers or `nan`, `inf`, `-inf`. */
export interface ReadAttribute {
  readonly key: string;
  readonly type: (typeof COLUMN_TYPES)[number];
  readonly value: string | number | boolean;
}

/** Reads the cells of `attributeColumns` from a row of a `QueryResult`, sorted by key. */
export function readAttributes(cells: readonly unknown[]): ReadAttribute[] {
  const attributes: ReadAttribute[] = [];
  for (const [index, type] of COLUMN_TYPES.entries()) {
    for (const [key, value] of Object.entries(cells[index] as Record<string, string | number>)) {
      attributes.push({ key, type, value: type === 'bool' ? value === 1 : value });
    }
  }
  return attributes.sort((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0));
}

/** Not `mapContains`: where the values have an index, that reads them besides the keys (docs/adr/0001-attribute-layout.md). */
function hasKey(prefix: AttributePrefix, type: (typeof COLUMN_TYPES)[number], key: string): string {
  return `has(${prefix}_${type}.keys, ${key})`;
}

const COLUMN_TYPES = ['string', 'int', 'double', 'bool', 'other'] as const;
