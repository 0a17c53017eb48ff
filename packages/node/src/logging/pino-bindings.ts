import type { AnyValue } from '@opentelemetry/api-logs';

export type Binding = readonly [name: string, value: AnyValue];

/** What a logger says in each of its lines. */
export interface Bindings {
  /** As pino keeps them: `,"name":value…`. */
  readonly text: string;
  readonly own: readonly Binding[];
  /** Of the logger that it is a child of. What comes again in `own` is the child's. */
  readonly inherited: Bindings | undefined;
}

/** Reads `text`, of which what `inherited` holds needs not be read again. */
export function readBindings(text: string, inherited: Bindings | undefined): Bindings {
  const isLonger =
    inherited !== undefined && text.startsWith(',', inherited.text.length) && text.startsWith(inherited.text);
  if (!isLonger) return { text, own: readOwn(text), inherited: undefined };
  return { text, own: readOwn(text.slice(inherited.text.length)), inherited };
}

/** Without `pid` and `hostname`, which the resource says. */
export function bindingsOf(values: object): Binding[] {
  return Object.entries(values).filter(([name]) => !isOfResource(name));
}

function isOfResource(name: string): boolean {
  return name === 'pid' || name === 'hostname';
}

function readOwn(text: string): readonly Binding[] {
  const bindings = plainTexts(text);
  if (bindings !== undefined) return bindings;
  try {
    return bindingsOf(JSON.parse(`{${text.slice(1)}}`));
  } catch {
    // Something else than pino wrote it.
    return [];
  }
}

/** How the last text began that bound one thing, and what that was. */
let lastStart = '';
let lastName = '';

/** What a child adds for one request is mostly an id: that needs no parser. Undefined where anything else is bound. */
function plainTexts(text: string): Binding[] | undefined {
  if (text.includes('\\')) return undefined;
  if (lastName !== '' && text.startsWith(lastStart) && text.indexOf('"', lastStart.length) === text.length - 1)
    return [[lastName, text.slice(lastStart.length, -1)]];
  const bindings: Binding[] = [];
  for (let start = 0; start < text.length; ) {
    if (!text.startsWith(',"', start)) return undefined;
    const nameEnd = text.indexOf('"', start + 2);
    if (nameEnd <= start + 2 || !text.startsWith('":"', nameEnd)) return undefined;
    const end = text.indexOf('"', nameEnd + 3);
    if (end < 0) return undefined;
    const name = text.slice(start + 2, nameEnd);
    if (!isOfResource(name)) bindings.push([name, text.slice(nameEnd + 3, end)]);
    start = end + 1;
  }
  const [only] = bindings;
  if (only !== undefined && bindings.length === 1 && text.length === only[0].length + String(only[1]).length + 6) {
    lastName = only[0];
    lastStart = `,"${lastName}":"`;
  }
  return bindings;
}
