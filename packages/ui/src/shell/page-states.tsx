import { Button, Skeleton } from '@mantine/core';
import { IconAlertTriangle, IconCheck, IconCopy, IconMoodEmpty } from '@tabler/icons-react';
import type { ErrorComponentProps } from '@tanstack/react-router';
import { type ReactNode, useState } from 'react';
import { ApiError } from '../data/api-client.ts';
import styles from './page-states.module.css';

/** What failed, what can be done about it, and a button to do it. */
export function ErrorState({
  error,
  what,
  onRetry,
}: {
  error: unknown;
  what: string;
  onRetry?: (() => void) | undefined;
}) {
  const known = error instanceof ApiError ? error : null;
  return (
    <div className={styles.state} role="alert" data-testid="error-state">
      <IconAlertTriangle size={26} stroke={1.6} className={styles.errorIcon} aria-hidden="true" />
      <h2 className={styles.title}>{what} could not be loaded</h2>
      <p className={styles.text}>{error instanceof Error ? error.message : String(error)}</p>
      {known?.hint ? <p className={styles.hint}>{known.hint}</p> : null}
      {known?.parameter ? <p className={styles.hint}>The parameter “{known.parameter}” is the problem.</p> : null}
      {onRetry ? (
        <Button size="xs" variant="default" onClick={onRetry} mt={8}>
          Try again
        </Button>
      ) : null}
    </div>
  );
}

export function EmptyState({ title, children }: { title: string; children?: ReactNode }) {
  return (
    <div className={styles.state} data-testid="empty-state">
      <IconMoodEmpty size={26} stroke={1.4} className={styles.emptyIcon} aria-hidden="true" />
      <h2 className={styles.title}>{title}</h2>
      {children ? <div className={styles.text}>{children}</div> : null}
    </div>
  );
}

const otlpExample = `curl http://127.0.0.1:4318/v1/traces -H 'content-type: application/json' -d '{"resourceSpans":[{"resource":{"attributes":[{"key":"service.name","value":{"stringValue":"hello"}}]},"scopeSpans":[{"spans":[{"traceId":"'$(openssl rand -hex 16)'","spanId":"'$(openssl rand -hex 8)'","name":"first","kind":2,"startTimeUnixNano":"'$(date +%s)000000000'","endTimeUnixNano":"'$(date +%s)250000000'"}]}]}]}'`;

/** Nothing has ever arrived: how to send something. */
export function NoDataYet({ what }: { what: string }) {
  return (
    <div className={styles.state} data-testid="empty-state">
      <h2 className={styles.title}>No {what} yet</h2>
      <p className={styles.text}>Here is the one line that sends some from a Node service:</p>
      <CopyLine text="node --import @signalbox/node/register app.js" />
      <p className={styles.text}>
        From anywhere else, any OpenTelemetry SDK or Collector: OTLP over HTTP to port 4318, over gRPC to 4317. A first
        span by hand:
      </p>
      <CopyLine text={otlpExample} />
      <p className={styles.hint}>It appears here within two seconds; this page looks by itself.</p>
    </div>
  );
}

function CopyLine({ text }: { text: string }) {
  return (
    <div className={styles.code}>
      <code>{text}</code>
      <CopyButton text={text} label="Copy the command" />
    </div>
  );
}

export function CopyButton({ text, label }: { text: string; label: string }) {
  const [copied, setCopied] = useState(false);
  return (
    <button
      type="button"
      className={styles.copy}
      aria-label={label}
      title={label}
      onClick={(event) => {
        event.stopPropagation();
        void copyText(text).then((done) => {
          setCopied(done);
          setTimeout(() => setCopied(false), 1200);
        });
      }}
    >
      {copied ? <IconCheck size={14} stroke={2} /> : <IconCopy size={14} stroke={1.6} />}
    </button>
  );
}

/** The clipboard API needs https or localhost; on other addresses the old way still works. */
export async function copyText(text: string): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    const area = document.createElement('textarea');
    area.value = text;
    area.style.position = 'fixed';
    area.style.opacity = '0';
    document.body.append(area);
    area.select();
    const done = document.execCommand('copy');
    area.remove();
    return done;
  }
}

export function RowsSkeleton({ rows = 8, height = 20 }: { rows?: number; height?: number }) {
  return (
    <div className={styles.skeleton} role="status" aria-busy="true" aria-label="Loading">
      {Array.from({ length: rows }, (_, index) => (
        <Skeleton key={String(index)} height={height} radius={4} style={{ opacity: 1 - index / (rows + 2) }} />
      ))}
    </div>
  );
}

export function PagePending() {
  return (
    <div className="page">
      <div className="page-inner">
        <RowsSkeleton rows={10} height={28} />
      </div>
    </div>
  );
}

/** A bug of the page itself, not of a request. */
export function PageError({ error, reset }: ErrorComponentProps) {
  return <ErrorState error={error} what="This page" onRetry={reset} />;
}
