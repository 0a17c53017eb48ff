export function LogsPage() {
  return <div className="page" />;
}
