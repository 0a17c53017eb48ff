import { Link } from '@tanstack/react-router';
import { EmptyState } from './page-states.tsx';

export function NotFoundPage() {
  return (
    <EmptyState title="There is no such page">
      <Link to="/services">Go to Services</Link>
    </EmptyState>
  );
}
