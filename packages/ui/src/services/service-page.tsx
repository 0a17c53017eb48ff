export function ServicePage() {
  return <div className="page" />;
}
