/** One line of a stack trace. `own`: the program's code, not its libraries' or the runtime's. */
export interface StackLine {
  readonly text: string;
  readonly kind: 'head' | 'frame' | 'cause';
  readonly own: boolean;
}

const frame = /^\s*(at\s|File "|from\s|\d+:\s|goroutine\s|\t)|^\s{2,}\S+\(.*\)$/;
const foreign =
  /node:|node_modules|internal\/|\(native\)|<anonymous>|site-packages|\/usr\/lib|java\.base|\bjava\.|\bjavax\.|\bsun\.|\/go\/pkg\/mod|\/usr\/local\/go/;
const maxLines = 400;

/** Works for what V8, the JVM, Python, Ruby, Go and .NET print; lines it does not know are shown as they are. */
export function parseStackTrace(stack: string): { lines: StackLine[]; more: number } {
  const all = stack.replace(/\r\n?/g, '\n').trimEnd().split('\n');
  const lines = all.slice(0, maxLines).map((text): StackLine => {
    if (/^\s*(Caused by|\[cause\]|During handling|The above exception)/.test(text))
      return { text, kind: 'cause', own: true };
    if (frame.test(text)) return { text, kind: 'frame', own: !foreign.test(text) };
    return { text, kind: 'head', own: true };
  });
  return { lines, more: all.length - lines.length };
}
