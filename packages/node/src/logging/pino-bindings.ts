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

const textBinding = /,"([^"\\]+)":"([^"\\]*)"/y;

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

/** What a child adds for one request is mostly an id: that needs no parser. Undefined where anything else is bound. */
function plainTexts(text: string): Binding[] | undefined {
  const bindings: Binding[] = [];
  for (let end = 0; end < text.length; end = textBinding.lastIndex) {
    textBinding.lastIndex = end;
    const match = textBinding.exec(text);
    if (match === null) return undefined;
    const name = match[1] as string;
    if (!isOfResource(name)) bindings.push([name, match[2] as string]);
  }
  return bindings;
}
