import { readFileSync } from 'node:fs';
import os from 'node:os';
import type { Attributes } from '@opentelemetry/api';

const maxBytes = 1024 * 1024;
const serviceAccountNamespace = '/var/run/secrets/kubernetes.io/serviceaccount/namespace';

/** Reads a file that may not be there. */
export type ReadText = (path: string) => string | undefined;

/**
 * The container and the Kubernetes pod that this process is in, from what is inside of it: no request is made. A pod's name
 * is its host name unless the pod sets another; `POD_NAME`, `POD_NAMESPACE`, `POD_UID` and `NODE_NAME`, the usual names for
 * the downward API, say it better.
 */
export function detectContainer(
  variables: Readonly<Record<string, string | undefined>>,
  read: ReadText = readText,
): Attributes {
  const mounts = read('/proc/self/mountinfo');
  const id = containerId(read('/proc/self/cgroup'), mounts);
  return { ...(id !== undefined && { 'container.id': id }), ...detectPod(variables, mounts, read) };
}

function detectPod(
  variables: Readonly<Record<string, string | undefined>>,
  mounts: string | undefined,
  read: ReadText,
): Attributes {
  if (!variables.KUBERNETES_SERVICE_HOST) return {};
  const attributes: Attributes = { 'k8s.pod.name': variables.POD_NAME || os.hostname() };
  const namespace = variables.POD_NAMESPACE || read(serviceAccountNamespace)?.trim();
  if (namespace) attributes['k8s.namespace.name'] = namespace;
  const uid = variables.POD_UID || /\/pods\/([0-9a-f-]{36})\//.exec(mounts ?? '')?.[1];
  if (uid) attributes['k8s.pod.uid'] = uid;
  if (variables.NODE_NAME) attributes['k8s.node.name'] = variables.NODE_NAME;
  return attributes;
}

/** Under cgroup v1 the path of the process's group ends with the id; under v2 only files that the runtime mounts tell it. */
function containerId(cgroup: string | undefined, mounts: string | undefined): string | undefined {
  for (const line of cgroup?.split('\n') ?? []) {
    const id = /([0-9a-f]{64})(?:\.scope)?$/.exec(line)?.[1];
    if (id !== undefined) return id;
  }
  for (const line of mounts?.split('\n') ?? []) {
    const id =
      / \S*\/(?:containers|overlay-containers)\/([0-9a-f]{64})\/\S* \/etc\/(?:hostname|hosts|resolv\.conf) |\/sandboxes\/([0-9a-f]{64})\/hostname \/etc\/hostname /.exec(
        line,
      );
    if (id !== null) return id[1] ?? id[2];
  }
  return undefined;
}

function readText(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8').slice(0, maxBytes);
  } catch {
    // Not Linux, or not inside of Kubernetes.
    return undefined;
  }
}
