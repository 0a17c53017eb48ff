export function ServiceMap({ find }: { find: string }) {
  return <div>{find}</div>;
}
